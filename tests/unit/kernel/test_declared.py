"""Declared files: every mistake at once, with file, key and a hint."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

import pytest

from wanjia.kernel.declared import DeclarationErrors, Text, load_folder


@dataclass
class Part:
    key: str
    width: int = 1


@dataclass
class Thing:
    code: str
    name: Text
    kind: Literal["csv", "xlsx"]
    weight: float = 1.0
    parts: list[Part] = field(default_factory=list)
    note: str | None = None
    by_column: dict[str, Part] = field(default_factory=dict)

    def check(self) -> Iterable[tuple[str, str, str]]:
        if self.weight > 1:
            yield "weight", "must be at most 1", "不得大于 1"


def write(folder, name, text):
    (folder / f"{name}.toml").write_text(text, encoding="utf-8")


GOOD = 'code = "good"\nkind = "csv"\nweight = 1\nname = {zh = "好", en = "Good"}\n[[parts]]\nkey = "a"\n[by_column."列"]\nkey = "b"\n'


def test_a_good_file_becomes_a_thing(tmp_path):
    write(tmp_path, "good", GOOD)
    thing = load_folder(tmp_path, Thing)["good"]
    assert thing.name.in_language("zh-hans") == "好"
    assert thing.parts == [Part("a")]
    assert thing.by_column == {"列": Part("b")}
    assert thing.weight == 1.0


def test_all_mistakes_of_all_files_come_at_once(tmp_path):
    write(tmp_path, "good", GOOD)
    write(tmp_path, "one", 'code = "one"\nkind = "cvs"\nnmae = {zh = "一", en = "One"}\n')
    write(tmp_path, "two", 'code = "other"\nkind = "csv"\nname = {zh = "二"}\nweight = "heavy"\n')
    write(tmp_path, "three", 'code = "three"\nkind = "csv"\nname = {zh = "三", en = "Three"}\nweight = 2\n')
    write(tmp_path, "four", "code = \n")
    with pytest.raises(DeclarationErrors) as caught:
        load_folder(tmp_path, Thing)
    lines = "\n".join(m.line() for m in caught.value.mistakes)
    assert "one.toml: kind: is 'cvs', which is not one of csv, xlsx; did you mean 'csv'?" in lines
    assert "one.toml: nmae: is not known here; did you mean 'name'?" in lines
    assert "one.toml: name: is required but missing" in lines
    assert "two.toml: name.en: is required but missing" in lines
    assert "two.toml: weight: should be a number, not a text" in lines
    assert "three.toml: weight: must be at most 1" in lines
    assert "four.toml: -: is not readable TOML" in lines
    assert "good.toml" not in lines
    assert "是否应为" in caught.value.sentence("zh")


def test_the_file_is_called_as_the_thing(tmp_path):
    write(tmp_path, "misnamed", GOOD)
    with pytest.raises(DeclarationErrors, match=r"is 'good', but the file is called misnamed\.toml"):
        load_folder(tmp_path, Thing)
