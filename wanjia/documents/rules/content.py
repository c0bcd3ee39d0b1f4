"""What stands in a document (pure): order of members, values as they are written, the frozen form, and which texts must be printable."""

import json
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from wanjia.kernel.declared import Text

FORM = "wanjia-document/1"
HEAD_CODES = ("01", "02")
EMPTY = "—"
#: languages a document is made in → the word for it
LANGUAGES = {
    "zh": Text("中文", "Chinese"),
    "zh-en": Text("中文，附英文栏目名", "Chinese with English labels"),
}

Label = Callable[[str, str], str]


def book_order(relation: str | None, is_head: bool, birth_on: str, person_id: int) -> tuple[Any, ...]:
    """Sorts members as the book has them: head, spouse, children, grandchildren, parents, grandparents, siblings, collateral, others (the order of
    GB/T 4761's groups, sons and daughters together); within a group the elder first.
    """
    group = (relation or "99")[:1].replace("3", "2")
    return (not is_head, group, birth_on or "9999", person_id)


def date_text(value: str, lang: str) -> str:
    """A day, or a moment to the minute; the first minute of a day means that only the day is known."""
    day, _, clock = value.partition(" ")
    clock = clock[:5]
    if lang == "zh":
        year, month, of_month = day.split("-")
        said = f"{year}年{month}月{of_month}日"
        return said if clock in ("", "00:00") else f"{said}{clock[:2]}时{clock[3:]}分"
    return day if clock in ("", "00:00") else f"{day} {clock}"


def value_text(value: str | None, kind: str, lang: str, in_zh: str, in_en: str) -> str:
    """A value as it is printed. `kind` is the column's type, `in_zh` and `in_en` its words; a document with English labels gives codes in both."""
    if not value:
        return EMPTY
    if kind in ("date", "datetime"):
        return date_text(value, lang)
    if kind == "boolean":
        return {"true": "是", "1": "是"}.get(value.lower(), "否")
    if kind == "code" and lang == "zh-en" and in_en and in_en != in_zh:
        return f"{in_zh} {in_en}"
    return in_zh


def moved_here_text(on: str | None, origin: str, lang: str) -> str:
    """When and from where somebody moved to this city or county; who always lived here has 久居."""
    if not on and not origin:
        return "久居" if lang == "zh" else "久居 lifelong"
    return " ".join(part for part in (date_text(on, lang) if on else "", origin) if part)


def frozen(content: Mapping[str, Any]) -> bytes:
    """Content as the bytes that are kept: JSON in its own order, which is the order of the lines on the page."""
    return json.dumps(content, separators=(",", ":"), ensure_ascii=False).encode()


def texts(content: Mapping[str, Any]) -> Iterator[tuple[Mapping[str, str], str]]:
    """Every text of a document that comes from outside the layout, with the label (zh, en) it stands under."""
    labels, member_labels = content["labels"], content["member_labels"]
    for page, labelled in ((content["fields"], labels), *((one, member_labels) for one in content["members"])):
        for key, value in page.items():
            yield labelled[key], value
    issuer = {"zh": "签发机关", "en": "Issued by"}
    for value in content["issuer"].values():
        yield issuer, value
    for label in (*labels.values(), *member_labels.values()):
        yield label, label["zh"] + label["en"]


def is_forbidden(character: str) -> str:
    """Why a character may stand in no document, whatever font there is: "control", "private", or "" when it may."""
    category = unicodedata.category(character)
    if category in ("Cc", "Cs", "Zl", "Zp") or (category == "Cf" and character != "\u200d"):
        return "control"
    return "private" if category == "Co" else ""


def expiry(issued_on: date, valid_days: int) -> date | None:
    """The last day a document counts, or None when it has none."""
    return date.fromordinal(issued_on.toordinal() + valid_days) if valid_days else None


def missing(needed: Sequence[str], values: Mapping[str, str | None]) -> list[str]:
    """The needed columns without a value."""
    return [key for key in needed if not values.get(key)]
