"""The loader of declared files: one TOML file is one thing, read strictly into a dataclass.

Every mistake in every file of a folder is found before anything is refused, and each says the file, the key and, where a word is
nearly right, what was probably meant. Unknown keys are mistakes: a misspelt key must never be silently without effect.
"""

import dataclasses
import datetime
import difflib
import enum
import tomllib
import types
import typing
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal, TypeVar, Union

from wanjia.kernel.errors import WanjiaError

T = TypeVar("T")


@dataclass(frozen=True)
class Text:
    """The same words in both languages."""

    zh: str
    en: str

    def in_language(self, lang: str) -> str:
        """The words in `lang` ("en", or anything that starts with "zh")."""
        return self.zh if lang.startswith("zh") else self.en


@dataclass(frozen=True)
class Mistake:
    """One thing wrong in one declared file."""

    file: str
    key: str
    en: str
    zh: str

    def line(self, lang: str = "en") -> str:
        """The mistake on one line."""
        return f"{self.file}: {self.key}: {self.zh if lang.startswith('zh') else self.en}"


class DeclarationErrors(WanjiaError):
    """Declared files hold mistakes; all of them are listed."""

    code = "DECLARED-001"
    zh = "声明文件有 {count} 处错误，请逐一改正：\n{lines_zh}"
    en = "The declared files hold {count} mistakes; correct each:\n{lines_en}"
    exit_code = 2

    def __init__(self, mistakes: Iterable[Mistake]) -> None:
        self.mistakes = sorted(mistakes, key=lambda m: (m.file, m.key))
        super().__init__(
            count=len(self.mistakes),
            lines_zh="\n".join(m.line("zh") for m in self.mistakes),
            lines_en="\n".join(m.line("en") for m in self.mistakes),
        )


def load_folder(folder: Path, cls: type[T], *, recurse: bool = True) -> dict[str, T]:
    """Every `*.toml` of `folder` as a `cls`, by its identity (the field `cls.IDENTITY`, "code" if not said), in order of name.

    The file's stem must be the identity, so that a thing is found by looking for its file. A class may define
    ``check(self) -> Iterable[tuple[key, en, zh]]`` for rules of its own. Raises `DeclarationErrors` with all mistakes.
    """
    mistakes: list[Mistake] = []
    things: dict[str, T] = {}
    for path in sorted(folder.glob("**/*.toml" if recurse else "*.toml")):
        thing = _load_one(path, str(path.relative_to(folder.parent)), cls, mistakes)
        if thing is None:
            continue
        identity_field = getattr(cls, "IDENTITY", "code")
        identity = getattr(thing, identity_field)
        if identity != path.stem:
            mistakes.append(
                Mistake(
                    str(path.relative_to(folder.parent)),
                    identity_field,
                    f"is {identity!r}, but the file is called {path.name}; make them the same",
                    f"为 {identity!r}，与文件名 {path.name} 不一致，请改为相同",
                )
            )
        things[identity] = thing
    if mistakes:
        raise DeclarationErrors(mistakes)
    return things


def load_file(path: Path, cls: type[T]) -> T:
    """One declared file as a `cls`. Raises `DeclarationErrors` with all mistakes of the file."""
    mistakes: list[Mistake] = []
    thing = _load_one(path, f"{path.parent.name}/{path.name}", cls, mistakes)
    if mistakes or thing is None:
        raise DeclarationErrors(mistakes)
    return thing


def load_text(text: str, cls: type[T], *, shown: str) -> T:
    """A declared thing from text that somebody typed or sent; `shown` stands for the file in mistakes. Raises `DeclarationErrors`."""
    mistakes: list[Mistake] = []
    thing = _built(lambda: text, shown, cls, mistakes)
    if mistakes or thing is None:
        raise DeclarationErrors(mistakes)
    return thing


def did_you_mean(word: str, known: Iterable[str]) -> str | None:
    """The known word nearest to `word`, if one is near."""
    near = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return near[0] if near else None


def _load_one(path: Path, shown: str, cls: type[T], mistakes: list[Mistake]) -> T | None:
    return _built(lambda: path.read_text(encoding="utf-8"), shown, cls, mistakes)


def _built(read: Callable[[], str], shown: str, cls: type[T], mistakes: list[Mistake]) -> T | None:
    try:
        content = tomllib.loads(read())
    except FileNotFoundError:
        mistakes.append(Mistake(shown, "-", "the file is missing", "缺少该文件"))
        return None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as wrong:
        mistakes.append(Mistake(shown, "-", f"is not readable TOML: {wrong}", f"不是有效的 TOML：{wrong}"))
        return None
    reader = _Reader(shown, mistakes)
    before = len(mistakes)
    thing = reader.build(cls, content, "")
    if len(mistakes) > before:
        return None
    if hasattr(thing, "check"):
        for key, en, zh in thing.check():
            mistakes.append(Mistake(shown, key, en, zh))
    return thing if len(mistakes) == before else None


class _Reader:
    """Turns parsed TOML into typed values, noting every mistake instead of stopping at the first."""

    FAILED: ClassVar[object] = object()

    def __init__(self, file: str, mistakes: list[Mistake]) -> None:
        self._file = file
        self._mistakes = mistakes

    def build(self, cls: type, content: dict[str, Any], at: str) -> Any:
        hints = typing.get_type_hints(cls)
        fields = {f.name: f for f in dataclasses.fields(cls) if f.init}
        for key in content:
            if key not in fields:
                near = did_you_mean(key, fields)
                self._note(
                    f"{at}{key}",
                    f"is not known here{f'; did you mean {near!r}?' if near else ''}",
                    f"此处没有这个键{f'；是否应为 {near!r}？' if near else ''}",
                )
        values: dict[str, Any] = {}
        for name, field in fields.items():
            if name in content:
                value = self._value(hints[name], content[name], f"{at}{name}")
                if value is not self.FAILED:
                    values[name] = value
            elif field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
                self._note(f"{at}{name}", "is required but missing", "必填，但缺失")
        if any(
            f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING and n not in values
            for n, f in fields.items()
        ):
            return self.FAILED
        return cls(**values)

    def _value(self, hint: Any, value: Any, at: str) -> Any:
        origin, arguments = typing.get_origin(hint), typing.get_args(hint)
        if hint is Any:
            return value
        if origin in (Union, types.UnionType):
            wanted = [a for a in arguments if a is not type(None)]
            if len(wanted) == 1:
                return self._value(wanted[0], value, at)
            fitting = [a for a in wanted if isinstance(a, type) and type(value) is a]
            return value if fitting else self._wrong(at, " | ".join(map(_name_of, wanted)), value)
        if origin is Literal:
            return value if value in arguments else self._not_one_of(at, value, arguments)
        if origin in (list, tuple) or hint in (list, tuple):
            return self._sequence(origin or hint, arguments, value, at)
        if origin is dict or hint is dict:
            if not isinstance(value, dict):
                return self._wrong(at, "a table", value)
            item = arguments[1] if arguments else Any
            return {key: self._value(item, one, f"{at}.{key}") for key, one in value.items()}
        if dataclasses.is_dataclass(hint):
            if not isinstance(value, dict):
                return self._wrong(at, "a table", value)
            return self.build(hint, value, f"{at}.")
        if isinstance(hint, type) and issubclass(hint, enum.Enum):
            allowed = [member.value for member in hint]
            return hint(value) if value in allowed else self._not_one_of(at, value, allowed)
        if hint is float and type(value) in (int, float):
            return float(value)
        if hint in (str, int, bool, datetime.date, datetime.datetime) and type(value) is hint:
            return value
        return self._wrong(at, _name_of(hint), value)

    def _sequence(self, kind: type, arguments: tuple, value: Any, at: str) -> Any:
        if not isinstance(value, list):
            return self._wrong(at, "a list", value)
        item = arguments[0] if arguments else Any
        built = [self._value(item, one, f"{at}[{number}]") for number, one in enumerate(value)]
        return tuple(built) if kind is tuple else built

    def _wrong(self, at: str, wanted: str, value: Any) -> object:
        self._note(
            at, f"should be {wanted}, not {_name_of(type(value))}", f"应为 {wanted}，而不是 {_name_of(type(value))}"
        )
        return self.FAILED

    def _not_one_of(self, at: str, value: Any, allowed: Iterable[Any]) -> object:
        words = [str(a) for a in allowed]
        near = did_you_mean(str(value), words)
        self._note(
            at,
            f"is {value!r}, which is not one of {', '.join(words)}{f'; did you mean {near!r}?' if near else ''}",
            f"为 {value!r}，不在可选值 {', '.join(words)} 之中{f'；是否应为 {near!r}？' if near else ''}",
        )
        return self.FAILED

    def _note(self, key: str, en: str, zh: str) -> None:
        self._mistakes.append(Mistake(self._file, key, en, zh))


def _name_of(hint: Any) -> str:
    names = {
        str: "a text",
        int: "a whole number",
        float: "a number",
        bool: "true or false",
        list: "a list",
        dict: "a table",
        datetime.date: "a date",
        datetime.datetime: "a date and time",
    }
    return names.get(hint, getattr(hint, "__name__", str(hint)))
