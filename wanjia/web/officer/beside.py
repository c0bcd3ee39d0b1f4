"""Two persons beside each other, laid out for a page. Pure: everything is handed in, and only what the decision shows is in it."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from wanjia.privacy.api import mask_number
from wanjia.register.api import Belief, Preview
from wanjia.web.labels import RELATIONS, word
from wanjia.web.officer.portrait import NUMBER_TYPES
from wanjia.web.words import division_name, element_name, source_name, value_words, vocabulary


def side_by_side(seen: Preview, choices: Mapping[str, str]) -> dict[str, Any]:
    """The template's context of a merge's preview; `choices`: field → "person" or "other", as chosen on the page."""
    rows = []
    for one in seen.values:
        stays = choices.get(one.field, "") if one.differs and one.field else ""
        rows.append(
            {
                "column": one.column,
                "name": element_name(one.column),
                "mine": _said(one.column, one.mine),
                "theirs": _said(one.column, one.theirs),
                "differs": one.differs,
                "field": one.field if one.differs else "",
                "stays": stays or one.stays,
            }
        )
    return {
        "person": seen.person,
        "other": seen.other,
        "rows": sorted(rows, key=lambda row: not row["differs"]),
        "differing": sum(row["differs"] for row in rows),
        "facts": [
            {"name": name, "mine": mine, "theirs": theirs, "after": after, "differs": mine != theirs}
            for name, mine, theirs, after in zip(
                (_("Household"), _("Places"), _("Relations")),
                *(_facts(one) for one in (seen.mine, seen.theirs, seen.after)),
                strict=True,
            )
        ],
        "homes": _homes(seen),
        "renamed": seen.renamed,
    }


def _said(column: str, belief: Belief | None) -> dict[str, str] | None:
    if belief is None:
        return None
    is_number = vocabulary().columns[column].type in NUMBER_TYPES
    shown = mask_number(belief.value) if is_number else value_words(column, belief.value)
    source = source_name(belief.winner.source) if belief.winner else _("several sources")
    more = len({s.source for s in belief.agreeing} - ({belief.winner.source} if belief.winner else set()))
    return {"shown": shown, "source": source, "more": str(more) if more else ""}


def _homes(seen: Preview) -> list[dict[str, Any]]:
    """The two households, where one must be chosen."""
    open_ones = [
        (who, piece)
        for who, facts in (("person", seen.mine), ("other", seen.theirs))
        for piece in facts["membership"]
        if piece["to"] is None
    ]
    if len({piece["household_id"] for _who, piece in open_ones}) < 2:
        return []
    return [{"who": who, "id": piece["household_id"], "words": _member(piece)} for who, piece in open_ones]


def _member(piece: Mapping[str, Any]) -> str:
    role = _("head") if piece["is_head"] else value_words("relation_to_head", piece["relation"])
    return f"{piece['household_id']} · {role} · {_time(piece)}"


def _time(piece: Mapping[str, Any]) -> str:
    return f"{piece['from'] or '–'} … {piece['to'] or '–'}"


def _facts(facts: Mapping[str, Any]) -> tuple[list[str], list[str], list[str]]:
    return (
        [_member(piece) for piece in facts["membership"]],
        [f"{division_name(p['division_now'], whole=True)} · {_time(p)}" for p in facts["residence"]],
        [f"{word(RELATIONS, p['kind'])} {p['other_id']} · {_time(p)}" for p in facts["relation"]],
    )
