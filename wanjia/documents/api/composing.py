"""From the register to a document's content: who stands in it, decided and traced; every value in words; the fonts that can draw it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.utils.timezone import localdate

from wanjia.access import api as access
from wanjia.access.api import Action, Decision
from wanjia.access.errors import OutsideArea
from wanjia.access.models import Account
from wanjia.documents.adapters.fonts import Font, chosen
from wanjia.documents.adapters.pdf import typesetter
from wanjia.documents.api.kinds import Declared, declared
from wanjia.documents.declared import DocumentField, DocumentKind
from wanjia.documents.errors import FactsMissing, NoHousehold, NotForThisPerson
from wanjia.documents.rules import content as words
from wanjia.documents.rules.numbers import grouped
from wanjia.kernel import settings
from wanjia.privacy.api import open_person
from wanjia.register.api import beliefs, household_members, members_of, person_facts, subjects_of
from wanjia.standards import api as standards

CERTIFYING = "certify"
#: what facts are made of, and what the order of the book needs
BEHIND = {
    "moved_here": ("moved_in_on", "moved_in_from"),
    "mother_name": ("name",),
    "father_name": ("name",),
}
RELATION = {"mother_name": "mother", "father_name": "father"}
STANDING = {"living": ("健在", "alive"), "dead": ("已登记死亡", "registered as dead")}


@dataclass(frozen=True)
class Holder:
    """Who a document is about: the household's or person's id, and the persons in it, the head or the person first."""

    id: int
    persons: tuple[int, ...]


@dataclass(frozen=True)
class Gathered:
    """What the register holds for one document: a map of column → value for each person, and facts taken from relatives."""

    holder: Holder
    values: tuple[Mapping[str, str], ...]
    relatives: Mapping[str, str] = field(default_factory=dict)


def why_of(case: str) -> str:
    """The purpose as the trace keeps it."""
    return f"{CERTIFYING}:{case}" if case else CERTIFYING


def require_all(account: Account, person_ids: Sequence[int], columns: Sequence[str] = ()) -> dict[int, Decision]:
    """The decisions to certify for all of these persons and all of these columns' elements, or the refusal that an id of nobody gets too.

    A document without one of its persons or values would be false, so it is all or nothing. Raises `OutsideArea`.
    """
    subjects = subjects_of(person_ids)
    profile = standards.load_profile()
    wanted = {profile.part(column).element for column in columns}
    decided = access.decide_many(account, Action.CERTIFY, subjects.values(), CERTIFYING)
    for person in person_ids:
        if person not in decided or not decided[person].is_allowed or not wanted <= decided[person].elements:
            raise OutsideArea(area=account.area or "–")
    return decided


def gather(account: Account, kind: DocumentKind, person_id: int, *, case: str) -> Gathered:
    """Open what the document needs of the person, or of all of the person's household. Every opening is traced with its decision.

    Raises `OutsideArea`, `NoHousehold`, `NotForThisPerson`, `FactsMissing`.
    """
    why, by = why_of(case), account.username
    needed = columns_of(kind.all_fields)
    decided = require_all(account, [person_id], needed)
    facts = person_facts(person_id, by=by, why=why, department=account.department, detail=decided[person_id].detail())
    is_dead = any(state["died_on"] for state in facts["state"])
    if kind.standing != "any" and is_dead != (kind.standing == "dead"):
        zh, en = STANDING[kind.standing]
        raise NotForThisPerson(zh_standing=zh, en_standing=en)
    if kind.subject == "person":
        home = next((m for m in facts["membership"] if m["valid_to"] is None), None)
        value = _opened(account, person_id, needed, decided[person_id], why)
        if home:
            value["relation_to_head"] = (
                "02" if home["is_head"] else home["relation"] or value.get("relation_to_head", "")
            )
        names = {f.fact: _name_of_kin(account, facts, RELATION[f.fact], why) for f in kind.fields if f.fact in RELATION}
        gathered = Gathered(Holder(person_id, (person_id,)), (value,), names)
    else:
        gathered = _household(account, kind, facts, why)
    _require_facts(kind, gathered)
    return gathered


def _household(account: Account, kind: DocumentKind, facts: Mapping[str, Any], why: str) -> Gathered:
    home = next((m for m in facts["membership"] if m["valid_to"] is None), None)
    if home is None:
        raise NoHousehold()
    needed = columns_of(kind.all_fields)
    members = members_of(home["household_id"])
    decided = require_all(account, members, needed)
    listed = household_members(
        home["household_id"],
        by=account.username,
        why=why,
        department=account.department,
        only=members,
        detail=next(iter(decided.values())).detail() if decided else {},
    )
    if not any(one["is_head"] for one in listed):
        raise NoHousehold()
    opened = {}
    for one in listed:
        value = _opened(account, one["person_id"], needed, decided[one["person_id"]], why)
        value["relation_to_head"] = "02" if one["is_head"] else one["relation"] or value.get("relation_to_head", "")
        opened[one["person_id"]] = value
    listed.sort(
        key=lambda m: words.book_order(
            opened[m["person_id"]]["relation_to_head"], m["is_head"], opened[m["person_id"]].get("birth_on", ""), m["person_id"]
        )
    )  # fmt: skip
    order = tuple(one["person_id"] for one in listed)
    return Gathered(Holder(home["household_id"], order), tuple(opened[person] for person in order))


def columns_of(fields: Sequence[DocumentField]) -> list[str]:
    """The columns that fields show or are made of."""
    found = [column for f in fields for column in ((f.column,) if f.column else BEHIND[f.fact])]
    return list(dict.fromkeys(found))


def _opened(account: Account, person_id: int, columns: Sequence[str], decision: Decision, why: str) -> dict[str, str]:
    profile = standards.load_profile()
    shown = {profile.part(column).element for column in columns}
    dossier = open_person(
        person_id,
        by=account.username,
        why=why,
        department=account.department,
        basis=decision.basis,
        fields=sorted(shown & decision.elements),
    )
    held = beliefs(dossier, (profile.element(key) for key in shown))
    return {one.column: str(one.value) for one in held if one.column in columns}


def _name_of_kin(account: Account, facts: Mapping[str, Any], relation: str, why: str) -> str:
    """The name of mother or father, where the account may certify for them too; else nothing, as where none is known."""
    other = next((r["other_id"] for r in facts["relation"] if r["kind"] == relation), None)
    if other is None:
        return ""
    try:
        decided = require_all(account, [other], ["name"])
    except OutsideArea:
        return ""
    return _opened(account, other, ["name"], decided[other], why).get("name", "")


def _require_facts(kind: DocumentKind, gathered: Gathered) -> None:
    lacking: dict[str, DocumentField] = {}
    for fields, values in ((kind.fields, gathered.values[:1]), (kind.member_fields, gathered.values)):
        for one in fields:
            if one.is_needed and any(words.missing([one.column], value) for value in values):
                lacking[one.key] = one
    if lacking:
        labels = [label_of(one) for one in lacking.values()]
        raise FactsMissing(
            zh_elements="、".join(label["zh"] for label in labels),
            en_elements=", ".join(label["en"] for label in labels),
        )


def label_of(one: DocumentField) -> dict[str, str]:
    """A field's label in both languages: its own, or the column's name."""
    text = one.label or standards.load_profile().part(one.column).name
    return {"zh": text.zh, "en": text.en}


@dataclass(frozen=True)
class Composed:
    """Content ready to be frozen and the fonts it is set in."""

    content: dict[str, Any]
    fonts: list[Font]


def compose(
    kind: DocumentKind,
    gathered: Gathered,
    *,
    lang: str,
    issuer: Mapping[str, str],
    number: str,
    at: datetime,
    replaces: str = "",
    is_reissue: bool = False,
    is_preview: bool = False,
    is_test: bool = False,
    book: Declared | None = None,
) -> Composed:
    """The content of a document as it will be frozen. Raises `CannotBePrinted`, `FontMissing`."""
    book = book or declared()
    day: date = localdate(at)
    ends = words.expiry(day, kind.valid_days)
    page = {one.key: _shown(one, gathered.values[0], gathered.relatives, lang) for one in kind.fields}
    members = [
        {one.key: _shown(one, value, {}, lang) for one in kind.member_fields}
        for value in (gathered.values if kind.member_fields else ())
    ]
    content: dict[str, Any] = {
        "form": words.FORM,
        "kind": kind.key,
        "name": {"zh": kind.name.zh, "en": kind.name.en},
        "law": kind.law,
        "lang": lang,
        "title": f"{kind.name.zh} {grouped(number)}" if number else f"{kind.name.zh} 预览",
        "number": number,
        "number_shown": grouped(number) if number else "—",
        "issued_at": at.isoformat(),
        "issued_shown": words.date_text(day.isoformat(), lang),
        "expires_shown": words.date_text(ends.isoformat(), lang) if ends else "",
        "replaces_shown": grouped(replaces) if replaces else "",
        "is_reissue": is_reissue,
        "is_preview": is_preview,
        "is_test": is_test,
        "is_practice": settings.is_practice(),
        "issuer": dict(issuer),
        "labels": {one.key: label_of(one) for one in kind.fields},
        "member_labels": {one.key: label_of(one) for one in kind.member_fields},
        "fields": page,
        "members": members,
    }
    return Composed(content, _with_fonts(content, book))


def _with_fonts(content: dict[str, Any], book: Declared) -> list[Font]:
    fonts = chosen(words.texts(content), book.families)
    content["fonts_frozen"] = [{"family": font.family, "sha256": font.digest} for font in fonts]
    content["typesetter"] = typesetter()
    return fonts


def _shown(one: DocumentField, value: Mapping[str, str], relatives: Mapping[str, str], lang: str) -> str:
    profile = standards.load_profile()
    if one.fact == "moved_here":
        origin = profile.label("moved_in_from", value.get("moved_in_from") or None, "zh")
        return words.moved_here_text(value.get("moved_in_on"), origin, lang)
    if one.fact:
        return relatives.get(one.fact) or words.EMPTY
    held, part = value.get(one.column), profile.part(one.column)
    if held and part.type == "division":
        return _placed(profile, one.column, held, value, lang)
    in_zh, in_en = profile.label(one.column, held or None, "zh"), profile.label(one.column, held or None, "en")
    return words.value_text(held, part.type, lang, in_zh, in_en)


def _placed(profile: standards.Profile, column: str, code: str, value: Mapping[str, str], lang: str) -> str:
    """A place by its name on the day this use of it is read by, and by that of today as the profile's `reprint` says."""
    today = localdate()
    happened, moved_in = _day(value.get("birth_on")), _day(value.get("moved_in_on"))
    is_of_birth = column == "birth_place"
    days = standards.Days(today, event=happened if is_of_birth else moved_in, registration=today, residence=moved_in)
    return words.value_text(
        code,
        "division",
        lang,
        *(profile.place(column, code, days, one).said(one, profile.anchors.reprint) for one in ("zh", "en")),
    )


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text[:10]) if text else None


def issuer_of(account: Account) -> dict[str, str]:
    """Office and officer as they stand on the document."""
    path = standards.load_profile().divisions.path(account.area.ljust(6, "0")) if account.area else []
    return {"office": "".join(one.name_zh for one in path) + "户口登记机关", "officer": account.display_name}
