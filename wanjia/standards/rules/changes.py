"""Changes of divisions (pure): what is wrong with one, and the dated table after it."""

import datetime
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Protocol

from wanjia.kernel.declared import Text
from wanjia.standards.rules.divisions import LEVELS, Division, Divisions, Shares

TOLERANCE = Fraction(1, 10_000)
MOST_TEXT = 200
MOST_MOVES = 5_000
_CODE = re.compile(r"[0-9]{4}-[0-9]{2}-[a-z0-9]+(-[a-z0-9]+)*")
_DIGITS = {"village": 12, "town": 9}

Wrong = tuple[str, str, str]  # key, sentence in English, sentence in Chinese


class Move(Protocol):
    """See `standards.declared.Moved`."""

    old: str
    new: str
    share: float | None
    brought: float | None


class Begin(Protocol):
    """See `standards.declared.Begins`."""

    code: str
    name: Text | None
    parent: str | None


class Change(Protocol):
    """See `standards.declared.DivisionChange`."""

    code: str
    kind: str
    on: datetime.date
    law: Text
    moves: list
    begins: list
    office: str | None


@dataclass(frozen=True)
class Changed:
    """The table after a change: its rows, and which part of whom went where."""

    rows: tuple[Division, ...]
    shares: Shares


def significant(code: str) -> str:
    """The digits of a code that name it: pairs of zeros at the end of a code of six only fill it up."""
    return re.sub(r"(00)+$", "", code) if len(code) == 6 else code


def mistakes_of(change: Change, divisions: Divisions) -> list[Wrong]:
    """Everything that is wrong with a change of the table `divisions`; empty: it can be applied."""
    wrong = [*_wrong_words(change), *_wrong_shares(change)]
    codes = list(_wrong_codes(change, divisions))
    if codes or not change.moves:
        # the rest asks about the divisions the moves name, so they must be there
        return wrong + codes
    after = {row.code: row for row in changed(change, divisions).rows if row.valid_to is None}
    return [
        *wrong,
        *_wrong_shape(change, divisions, after),
        *_wrong_places(change, divisions, after),
        *_left_out(change, divisions, after),
    ]


def changed(change: Change, rows: Iterable[Division]) -> Changed:
    """The rows of the table after a change that has no mistakes. Spans that end say what they became; nothing older is touched."""
    before = list(rows)
    ending = {move.old for move in change.moves}
    standing = {row.code: row for row in before if row.valid_to is None}
    into: dict[str, list[str]] = {}
    for move in change.moves:
        into.setdefault(move.old, []).append(move.new)
    kept = [
        replace(row, valid_to=change.on, precision="day", successors=tuple(into[row.code]))
        if row.valid_to is None and row.code in ending
        else row
        for row in before
    ]
    begun = [_begun(change, code, standing) for code in dict.fromkeys(move.new for move in change.moves)]
    shares = {
        (move.old, change.on, move.new): (_part(move.share), _part(move.brought))
        for move in change.moves
        if move.share is not None or move.brought is not None
    }
    return Changed((*kept, *begun), shares)


def tops(change: Change, divisions: Divisions) -> list[str]:
    """The codes a change is about: those that move and whose parent does not."""
    ending = {move.old for move in change.moves}
    return [
        code
        for code in dict.fromkeys(m.old for m in change.moves)
        if (found := divisions.find(code)) is None or found.parent not in ending
    ]


def _begun(change: Change, code: str, standing: Mapping[str, Division]) -> Division:
    said = next((one for one in change.begins if one.code == code), None)
    sources = [move.old for move in change.moves if move.new == code]
    # a code that goes on keeps its own name; a code that is new takes that of the first that moves into it, if it is not told one
    model = standing.get(code) or standing[sources[0]]
    name = said.name if said and said.name else Text(model.name_zh, model.name_en)
    parent = said.parent if said and said.parent else (model.parent if code in standing else parent_of(code, model))
    return Division(
        code=code,
        name_zh=name.zh,
        name_en=name.en,
        level=model.level,
        parent=parent,
        valid_from=change.on,
        valid_to=None,
        precision="day",
        successors=(),
        source=f"change {change.code}",
    )


def parent_of(code: str, model: Division) -> str | None:
    """The parent that a code says by its digits; where digits do not say it (a county's), that of the division it is made from."""
    if model.level == "village":
        return code[:9]
    return code[:6] if model.level == "town" else model.parent


def _wrong_words(change: Change) -> Iterator[Wrong]:
    if not _CODE.fullmatch(change.code) or len(change.code) > 60:
        yield (
            "code",
            "should be year-month-words in small letters (2026-03-bailu)",
            "应为“年-月-词”，小写字母（2026-03-bailu）",
        )
    for where, text in (("law", change.law), *((f"begins.{one.code}.name", one.name) for one in change.begins)):
        if text is not None and not (0 < len(text.zh.strip()) <= MOST_TEXT and 0 < len(text.en.strip()) <= MOST_TEXT):
            yield where, f"needs words in both languages, at most {MOST_TEXT}", f"中英文都要写，各不超过 {MOST_TEXT} 字"
        elif text is not None and not (text.zh + text.en).isprintable():
            yield where, "holds control characters", "含有控制字符"
    if not change.moves:
        yield "moves", "say what becomes of whom", "须写明谁变为谁"
    elif len(change.moves) > MOST_MOVES:
        yield "moves", f"are more than {MOST_MOVES}: make several changes", f"超过 {MOST_MOVES} 条，请分几次变更"


def _wrong_codes(change: Change, divisions: Divisions) -> Iterator[Wrong]:
    for code in dict.fromkeys(move.old for move in change.moves):
        found = divisions.find(code)
        if found is None:
            yield f"moves.{code}", "is no code of the table", "不是表中的代码"
        elif found.valid_to is not None:
            now = ", ".join(one.code for one in divisions.resolve(code).today) or "–"
            yield (
                f"moves.{code}",
                f"ended on {found.valid_to} and is {now} today",
                f"已于 {found.valid_to} 终止，今为 {now}",
            )
        elif found.valid_from is not None and found.valid_from >= change.on:
            yield f"on.{code}", f"holds only since {found.valid_from}", f"自 {found.valid_from} 才有效"
    pairs = [(move.old, move.new) for move in change.moves]
    for old, new in sorted({pair for pair in pairs if pairs.count(pair) > 1}):
        yield f"moves.{old}", f"moves into {new} twice", f"重复移入 {new}"
    targets, sources = {move.new for move in change.moves}, {move.old for move in change.moves}
    for code in sorted(targets - sources):
        if not (code.isascii() and code.isdigit() and len(code) in (6, 9, 12)):
            yield f"moves.{code}", "should have 6, 9 or 12 digits", "应为 6、9 或 12 位数字"
            continue
        there = divisions.find(code)
        if there is not None and there.valid_to is None:
            yield (
                f"moves.{code}",
                f"stands already: say {code} → {code} too, since it changes",
                f"已存在：它也在变更之中，请写明 {code} → {code}",
            )
        elif there is not None:
            yield (
                f"moves.{code}",
                f"was {there.name_en} until {there.valid_to}: a code is not given twice",
                f"曾为{there.name_zh}（至 {there.valid_to}）：代码不得重用",
            )
    for one in change.begins:
        if one.code not in targets:
            yield f"begins.{one.code}", "begins, but nothing moves into it", "设立了，却没有任何区划移入"
    named = [one.code for one in change.begins]
    for code in sorted({code for code in named if named.count(code) > 1}):
        yield f"begins.{code}", "is given twice", "重复"
    if change.office is not None and change.office not in targets:
        yield "office", f"{change.office} is none of the divisions of this change", f"{change.office} 不在本次变更之中"


def _wrong_shares(change: Change) -> Iterator[Wrong]:
    yield from _not_whole("share", change, lambda move: move.old, lambda move: move.share)
    yield from _not_whole("brought", change, lambda move: move.new, lambda move: move.brought)


def _not_whole(called: str, change: Change, key, part) -> Iterator[Wrong]:
    by_code: dict[str, list] = {}
    for move in change.moves:
        by_code.setdefault(key(move), []).append(part(move))
    for code, parts in by_code.items():
        said = [one for one in parts if one is not None]
        if any(not 0 < one <= 1 for one in said):
            yield f"moves.{code}.{called}", "lies between 0 and 1", "应在 0 与 1 之间"
        elif said and len(said) < len(parts):
            yield (
                f"moves.{code}.{called}",
                "is said of some only: of all or of none",
                "只写了一部分：要么都写，要么都不写",
            )
        elif said and abs(sum(_part(one) for one in said) - 1) > TOLERANCE:
            total = f"{float(sum(_part(one) for one in said)):.4g}"
            yield f"moves.{code}.{called}", f"together are {total}, not 1", f"合计为 {total}，应为 1"


def _wrong_shape(change: Change, divisions: Divisions, after: Mapping[str, Division]) -> Iterator[Wrong]:
    top = tops(change, divisions)
    moves = [move for move in change.moves if move.old in top]
    targets = dict.fromkeys(move.new for move in moves)
    counts = (len(top), len(targets))
    if change.kind == "rename":
        if counts != (1, 1):
            yield "kind", "a rename is of one division into one", "更名是一个区划变为一个区划"
        elif top == list(targets) and not any(one.code == top[0] and one.name for one in change.begins):
            yield "begins", "say the other name", "须写明新名称"
    elif change.kind == "split" and (counts[0] != 1 or counts[1] < 2):
        yield "kind", "a split is of one division into two or more", "分设是一个区划变为两个以上"
    elif change.kind == "merge" and (counts[0] < 2 or counts[1] != 1):
        yield "kind", "a merger is of two divisions or more into one", "合并是两个以上区划变为一个"
    elif change.kind == "transfer" and (len(moves) != len(top) or len(targets) != len(top)):
        yield "kind", "a transfer moves each division as a whole", "划转是各区划整体移动"
    if change.kind == "transfer":
        for move in moves:
            if divisions.find(move.old).parent == after[move.new].parent:
                yield f"moves.{move.old}", "stays where it is: that is no transfer", "上级未变，不是划转"
    elif change.kind != "merge":
        for move in moves:
            if divisions.find(move.old).parent != after[move.new].parent and after[move.new].parent not in targets:
                yield f"moves.{move.new}", "gets another parent: that is a transfer", "上级改变，属于划转"
    if change.kind == "split" and change.office is None and top and top[0] not in targets:
        yield "office", "say which office takes over what is open", "须写明未结办件由哪个机关接办"


def _wrong_places(change: Change, divisions: Divisions, after: Mapping[str, Division]) -> Iterator[Wrong]:
    """Levels stay; parents stand, on a level above; digits of a code are those of its parent and its own."""
    for move in change.moves:
        old, new = divisions.find(move.old), after[move.new]
        if old.level != new.level or len(move.new) != _DIGITS.get(old.level, 6):
            yield f"moves.{move.new}", f"is not of the level of {move.old}", f"与 {move.old} 不在同一级"
    for code in dict.fromkeys(move.new for move in change.moves):
        parent = after[code].parent
        if parent is None:
            continue
        if parent not in after:
            yield f"begins.{code}.parent", f"{parent} does not stand on that day", f"上级 {parent} 届时不存在"
        elif LEVELS.index(after[parent].level) >= LEVELS.index(after[code].level):
            yield f"begins.{code}.parent", f"{parent} is not above it", f"{parent} 不是上级"
        elif not code.startswith(significant(parent)):
            yield (
                f"moves.{code}",
                f"should begin with {significant(parent)}, its parent's digits",
                f"应以上级代码 {significant(parent)} 开头",
            )


def _left_out(change: Change, divisions: Divisions, after: Mapping[str, Division]) -> Iterator[Wrong]:
    """What lies inside a division that ends goes somewhere, and where its parent goes."""
    into: dict[str, set[str]] = {}
    for move in change.moves:
        into.setdefault(move.old, set()).add(move.new)
    for code, targets in into.items():
        for child in divisions.children(code):
            if child.code not in into:
                if code not in targets:
                    yield (
                        f"moves.{child.code}",
                        f"lies in {code}: say what it becomes",
                        f"在 {code} 之内：须写明变为什么",
                    )
                continue
            for new in sorted(into[child.code]):
                if after[new].parent not in targets:
                    yield f"moves.{child.code}", f"does not go where {code} goes", f"没有随 {code} 移动"


def _part(number: float | None) -> Fraction | None:
    # a share is meant as it is written, not as a binary fraction
    return None if number is None else Fraction(str(number))
