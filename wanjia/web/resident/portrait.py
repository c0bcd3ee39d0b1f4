"""The own record laid out: each value, since when, from which source, why it is believed. Pure: everything is handed in.

Other people's privacy comes first. Left out, for everybody alike, so that a gap tells nothing: the numbers of parents and spouse, adoption, the
number of the birth certificate, and what records that speak of several people (births, marriages) say otherwise. A relation that tells own child from
adopted or step child is told as child. Other members of the household and relatives are not shown at all, sealed or not.
"""

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from django.utils.translation import gettext as _

from wanjia.access.api import Decision, book
from wanjia.intake.declared import Source
from wanjia.privacy.api import Dossier, Statement, mask_number
from wanjia.register.api import Belief, beliefs
from wanjia.web.labels import RULES, spoken, word
from wanjia.web.words import element_name, source_name, value_words, vocabulary

#: elements of which a value tells about somebody else, or about a secret the law keeps (民法典 art. 1110)
OF_OTHERS = frozenset({"mother_number", "father_number", "spouse_number", "adoption", "birth_certificate_number"})
#: GB/T 4761: adopted and step relations → the relation without that
PLAIN_RELATIONS = {"27": "20", "37": "30", "57": "51", "58": "52"}
#: who I am and where I live come before all else
FIRST = ("identity", "place", "registration", "household")
#: the declared purpose for which officers read when they decide on a correction
CORRECTING = "correct"
NUMBER_TYPES = ("identity_number", "document_number")


def own_groups(dossier: Dossier, decision: Decision) -> list[dict[str, Any]]:
    """Values by field group, in the declared order of elements: {key, label, values}."""
    held = own_beliefs(dossier, decision)
    of_element = {element: key for key, group in book().fields.items() for element in group.elements}
    order = sorted(book().fields, key=lambda key: FIRST.index(key) if key in FIRST else len(FIRST))
    rows = sorted(((of_element[b.element], b) for b in held), key=lambda pair: order.index(pair[0]))
    return [
        {
            "key": key,
            "label": spoken(book().fields[key].name),
            "values": [value_of(belief) for _key, belief in of_group],
        }
        for key, of_group in groupby(rows, key=lambda pair: pair[0])
    ]


def own_beliefs(dossier: Dossier, decision: Decision) -> list[Belief]:
    """What holds of the person and may be shown to them on a page."""
    shown = decision.elements - OF_OTHERS
    return [b for b in beliefs(dossier, vocabulary().elements.values()) if b.element in shown]


def value_of(belief: Belief) -> dict[str, Any]:
    """One value for the page, with its provenance."""
    winner = belief.winner
    return {
        "column": belief.column,
        "is_correctable": correctable(belief.element),
        "name": element_name(belief.column),
        "shown": shown(belief.column, belief.value),
        "whole": belief.value if _is_masked(belief.column) else "",
        "source_name": source_name(winner.source) if winner else _("several sources"),
        "as_of": winner.as_of if winner else None,
        "rule": _rule(belief),
        "agreeing": sorted(
            {source_name(s.source) for s in belief.agreeing if winner is None or s.source != winner.source}
        ),
        "losing": [
            {"shown": shown(belief.column, value), "source_name": source_name(s.source), "as_of": s.as_of}
            for value, s in _tellable(belief)
        ],
    }


def correctable(element: str) -> bool:
    """Whether a value may be corrected from the page: those that the deciding officers may read for it. The rest is for a registration office."""
    groups = (book().fields[key] for key in book().purposes[CORRECTING].fields)
    return any(element in group.elements and not group.is_protected for group in groups)


def shown(column: str, value: str) -> str:
    """A value in words; numbers masked, relations without what they tell of somebody's birth."""
    if column == "relation_to_head":
        value = PLAIN_RELATIONS.get(value, value)
    return mask_number(value) if _is_masked(column) else value_words(column, value)


def household_of(facts: Mapping[str, Sequence[Mapping[str, Any]]]) -> dict[str, Any] | None:
    """The own place in the household now: {relation, since}; nothing of anybody else."""
    now = next((m for m in facts["membership"] if m["valid_to"] is None), None)
    if now is None:
        return None
    relation = _("head") if now["is_head"] else shown("relation_to_head", now["relation"] or "")
    return {"relation": relation, "since": now["valid_from"]}


def _tellable(belief: Belief) -> list[tuple[str, Statement]]:
    """Values that lost and may be told: not of records that speak of several people, and one for each source and value."""
    if belief.column == "relation_to_head":
        return []
    sources, told, seen = vocabulary().sources, [], set()
    for value, statement in belief.losing:
        declared = sources.get(statement.source)
        if declared is None or _speaks_of_several(declared) or (value, statement.source) in seen:
            continue
        seen.add((value, statement.source))
        told.append((value, statement))
    return told


def _speaks_of_several(source: Source) -> bool:
    """Whether a source's records name more persons than one: as subjects, or by their numbers."""
    return len(source.subjects) > 1 or any(
        column.element in OF_OTHERS for subject in source.subjects for column in subject.columns.values()
    )


def _is_masked(column: str) -> bool:
    known = vocabulary().columns.get(column)
    return known is not None and known.type in NUMBER_TYPES


def _rule(belief: Belief) -> str:
    """The rule in words, with the law it follows where the element names one."""
    law = vocabulary().elements[belief.element].resolve.law
    words = word(RULES, belief.rule)
    return f"{words} ({law})" if law and belief.rule == "precedence" else words
