"""The text of every person's dossier, written by the engine (its form: wanjia.privacy.api), and what is to be found by blind index."""

from collections.abc import Mapping, Sequence

import ibis
from ibis.expr.types import Table, Value

from wanjia.register import rules
from wanjia.register.bulk.survivors import ordinal_of
from wanjia.register.bulk.words import as_text
from wanjia.register.rules import ElementRule

BLIND_ELEMENTS = {
    # blind kind → (columns that yield its values, rows to take them from)
    "name": ("name__norm", "former_name__norm"),
    "pinyin": ("name__pinyin",),
    "number": ("citizen_number",),
    "mother_number": ("mother_number",),
    "father_number": ("father_number",),
    "spouse_number": ("spouse_number",),
}


def dossiers(rows: Table, resolved: Table, element_rules: Sequence[ElementRule]) -> Table:
    """(person_id, content, locators): one row for each person, in no order."""
    lines = rows.select("person_id", "assertion_id", line=_line(rows, element_rules))
    grouped = lines.group_by("person_id").aggregate(stated=lines.line.collect(), located=lines.assertion_id.collect())
    choices = resolved.select(chooser="person_id", chosen=_choices(resolved, element_rules))
    both = grouped.inner_join(choices, grouped.person_id == choices.chooser)
    stated = both.stated.sort().join(rules.DOSSIER_RECORD)
    # ordinals were given in order of assertion ids, so both lists sort into the same order
    located = both.located.sort().cast("array<string>").join(",")
    return both.select("person_id", content=both.chosen + ibis.literal(rules.DOSSIER_PART) + stated, locators=located)


def searchable(rows: Table) -> Table:
    """(person_id, kind, value): every distinct name, pinyin and number by which a person may be looked up."""
    found = []
    for kind, columns in BLIND_ELEMENTS.items():
        for column in columns:
            if column in rows.columns:
                found.append(
                    rows.filter(rows[column].notnull()).select("person_id", kind=ibis.literal(kind), value=rows[column])
                )
    if not found:
        # a profile may declare none of these elements: then nobody is found by name or number, and all else works
        return rows.filter(ibis.literal(False)).select("person_id", kind=ibis.literal(""), value=ibis.literal(""))
    return ibis.union(*found, distinct=True) if len(found) > 1 else found[0].distinct()


def tags(element_rules: Sequence[ElementRule]) -> Mapping[str, str]:
    """Value column → its mark in a dossier: the element's tag, and for a part of a composite the tag and the column's name."""
    return {
        column: f"{rule.tag}/{column}" if rule.is_composite else rule.tag
        for rule in element_rules
        for column in rule.columns
    }


def _line(rows: Table, element_rules: Sequence[ElementRule]) -> Value:
    """One statement: where it comes from, and what it says."""
    head = [
        _padded(rows.ordinal),
        rows.source,
        ibis.coalesce(rows.record_key, ibis.literal("")),
        ibis.coalesce(rows.subject, ibis.literal("")),
        ibis.coalesce(rows.as_of.cast("string"), ibis.literal("")),
    ]
    # a null value makes a null field, which concatenation with a separator leaves out
    said = [ibis.literal(f"{tag}=") + as_text(rows, column) for column, tag in tags(element_rules).items()]
    return ibis.literal(rules.DOSSIER_FIELD).join([*head, *said])


def _choices(resolved: Table, element_rules: Sequence[ElementRule]) -> Value:
    """Which statement won each element, and by which rule."""
    chosen = []
    for rule in element_rules:
        won = resolved[f"{rule.key}__won"]
        text = ibis.literal(f"{rule.tag}=") + ordinal_of(won).cast("string") + ibis.literal(rule.letter)
        if rule.strategy == "average":
            text = text + ibis.literal(":") + resolved[rule.columns[0]].cast("string")
        chosen.append(text)
    return ibis.literal(rules.DOSSIER_FIELD).join(chosen)


def _padded(ordinal: Value) -> Value:
    # so that the order of texts is the order of numbers
    return ordinal.clip(upper=rules.ORDINAL_SPAN - 1).cast("string").lpad(4, "0")
