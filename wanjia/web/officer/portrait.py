"""One person laid out for the page: values with provenance, household, relations, links, reads. Pure: everything is handed in."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from itertools import groupby
from typing import Any

from django.utils.translation import gettext as _

from wanjia.access.api import Decision, book
from wanjia.privacy.api import Dossier, Statement, mask_number
from wanjia.register.api import Belief, beliefs
from wanjia.web.labels import OWNERS, READ_KINDS, RELATIONS, RULES, purpose_words, spoken, word
from wanjia.web.words import element_name, sex_words, source_name, value_words, vocabulary

SMALL_BITS = 0.5
# columns of the register's state → the element each is of
STATE_ELEMENTS = {"birth_on": "birth_on", "died_on": "died_at", "sex": "sex", "marital_status": "marital_status"}
NUMBER_TYPES = ("identity_number", "document_number")


def portrait(
    dossier: Dossier,
    facts: Mapping[str, list[dict[str, Any]]],
    *,
    decision: Decision,
    relatives: Collection[int],
    mates: Sequence[dict[str, Any]],
    links: Sequence[Any],
    reads: Sequence[dict[str, Any]],
    is_number_shown: bool,
    today: date,
) -> dict[str, Any]:
    """The template's context of one person's page: only elements that the decision allows, only relatives that may be found.

    Everything on the page comes from `held`, `state` or a field group asked for here, so that no path shows a masked field.
    """
    held = [b for b in beliefs(dossier, vocabulary().elements.values()) if b.element in decision.elements]
    by_column = {belief.column: belief for belief in held}
    state = {
        key: value
        for key, value in (facts["state"][0] if facts["state"] else {}).items()
        if STATE_ELEMENTS.get(key) in decision.elements
    }
    return {
        "person": _head(dossier.person_id, by_column, state, is_number_shown=is_number_shown, today=today),
        "can_show_number": not is_number_shown and "citizen_number" in by_column,
        "groups": _groups(held, is_number_shown=is_number_shown),
        "household": {
            "id": next((m["household_id"] for m in facts["membership"] if m["valid_to"] is None), ""),
            "members": _members(mates, dossier.person_id),
        },
        "relations": [
            {
                "label": word(RELATIONS, r["kind"]),
                "person_id": r["other_id"],
                "from": r["valid_from"],
                "to": r["valid_to"],
            }
            for r in facts["relation"]
            if "household" in decision.fields and r["other_id"] in relatives
        ],
        "links": _links(links, dossier, decision),
        "left_out": [spoken(book().fields[key].name) for key in book().fields if key not in decision.fields],
        "reads": _reads(reads),
    }


def _head(
    person_id: int, held: Mapping[str, Belief], state: Mapping[str, Any], *, is_number_shown: bool, today: date
) -> dict[str, Any]:
    def value(column: str) -> str | None:
        return held[column].value if column in held else None

    born, died = state.get("birth_on"), state.get("died_on")
    until = died or today
    age = until.year - born.year - ((until.month, until.day) < (born.month, born.day)) if born else None
    number = value("citizen_number")
    return {
        "id": person_id,
        "name": value("name"),
        "sex": sex_words(value("sex")),
        "born": value("birth_on"),
        "age": age,
        "number": number if is_number_shown or number is None else mask_number(number),
        "state": _("died %(on)s") % {"on": died.isoformat()} if died else _("living"),
        "tone": "" if died else "good",
    }


def _groups(held: Sequence[Belief], *, is_number_shown: bool) -> list[dict[str, Any]]:
    """Values by the department that owns the element, in the declared order."""
    elements = vocabulary().elements
    rows = [(elements[b.element].owner, _value(b, is_number_shown=is_number_shown)) for b in held]
    return [
        {"label": word(OWNERS, owner), "values": [row for _owner, row in of_owner]}
        for owner, of_owner in groupby(rows, key=lambda pair: pair[0])
    ]


def _value(belief: Belief, *, is_number_shown: bool) -> dict[str, Any]:
    column = vocabulary().columns[belief.column]

    def shown(value: str) -> str:
        if column.type in NUMBER_TYPES and not (is_number_shown and belief.element == "citizen_number"):
            return mask_number(value)
        return value_words(belief.column, value)

    winner = belief.winner
    return {
        "name": element_name(belief.column),
        "shown": shown(belief.value),
        "source_name": source_name(winner.source) if winner else _("several sources"),
        "as_of": winner.as_of if winner else None,
        "record": record_words(winner) if winner else _("weighted average"),
        "rule": rule_words(belief),
        "agreeing": sorted({source_name(s.source) for s in belief.agreeing}),
        "losing": [
            {"shown": shown(value), "source_name": source_name(s.source), "as_of": s.as_of, "record": record_words(s)}
            for value, s in belief.losing
        ],
        "is_disputed": bool(belief.losing),
    }


def rule_words(belief: Belief) -> str:
    """The rule in words, with the law it follows where the element names one."""
    law = vocabulary().elements[belief.element].resolve.law
    words = word(RULES, belief.rule)
    return f"{words} ({law})" if law and belief.rule == "precedence" else words


def record_words(statement: Statement) -> str:
    """Where a statement stands: delivery and row, from the assertion's id. The source's own key may be a number, so it is not shown."""
    if statement.event_id is not None:
        return _("event %(number)s") % {"number": statement.event_id}
    delivery, row = statement.assertion_id >> 32, (statement.assertion_id & 0xFFFFFFFF) >> 2
    return _("delivery %(delivery)s, row %(row)s") % {"delivery": delivery, "row": row}


def _members(mates: Sequence[dict[str, Any]], person_id: int) -> list[dict[str, Any]]:
    return [
        {
            "person_id": mate["person_id"],
            "is_this": mate["person_id"] == person_id,
            "relation": _("head") if mate["is_head"] else value_words("relation_to_head", mate["relation"]),
            "birth_year": mate["birth_year"],
            "born_in": mate["birth_year"],
            "since": mate["since"],
        }
        for mate in mates
    ]


def _links(links: Sequence[Any], dossier: Dossier, decision: Decision) -> list[dict[str, Any]]:
    by_assertion = {s.assertion_id: s for s in dossier.statements}
    rows = []
    for link in links:
        statement = by_assertion.get(link.assertion_id)
        rows.append(
            {
                "record": record_words(statement) if statement else str(link.assertion_id),
                "source_name": source_name(statement.source) if statement else "–",
                "as_of": statement.as_of if statement else None,
                "probability": link.probability,
                "how": spoken(link.said),
                "weights": [
                    _weight(f)
                    for f in link.fields
                    if abs(f.bits) >= SMALL_BITS and _element_of(f.feature) in decision.elements
                ],
                "no_evidence": _("no comparison was needed"),
            }
        )
    return rows


def _element_of(feature: str) -> str:
    """The element whose column a model compares; a feature that is no column is of no element, and so is never shown."""
    column = vocabulary().columns.get(feature)
    return column.element if column else ""


def _weight(evidence: Any) -> dict[str, str]:
    """One field's evidence: what was found, and how much it says in bits."""
    return {
        "label": f"{element_name(evidence.feature)}: {spoken(evidence.said)}",
        "shown": f"{evidence.bits:+.1f}",
        "tone": "good" if evidence.bits > 0 else "bad",
    }


def _reads(reads: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Reads as lines; acts of one person for one purpose within one second are one line, because they were one page."""
    lines = []
    for (_at, actor, purpose), acts in groupby(
        reads, key=lambda r: (r["at"].replace(microsecond=0), r["actor"], r["purpose"])
    ):
        kinds = list(dict.fromkeys(word(READ_KINDS, act["kind"]) for act in acts))
        lines.append({"at": _at, "actor": actor, "kind_name": " · ".join(kinds), "purpose": purpose_words(purpose)})
    return lines
