"""The text of every person's dossier, written by the engine (its form: wanjia.privacy.api), and what is to be found by blind index.

The engine writes statement by statement; a person's lines are put side by side outside it (api/dossiers.py): collecting, sorting and joining
text takes an engine several times as long as writing it.
"""

from collections.abc import Mapping, Sequence

import ibis
from ibis.expr.types import Table, Value

from wanjia.register import rules
from wanjia.register.bulk.statements import Part, Statements
from wanjia.register.bulk.survivors import Winners, ordinal_of
from wanjia.register.bulk.words import as_text
from wanjia.register.rules import ElementRule

INITIALS = "initials"
# more than any ordinal, and of one digit more than they are written with
PADDED = 10_000
#: kind of blind index → the columns its values come from, in the order of the kinds' numbers
BLIND_COLUMNS = {
    "name": ("name__norm", "former_name__norm"),
    "pinyin": ("name__pinyin",),
    "number": ("citizen_number",),
    INITIALS: ("name__pinyin",),
    "household": ("household_number",),
    "door": ("domicile_address__alike", "residence_address__alike"),
    "mother_number": ("mother_number",),
    "father_number": ("father_number",),
    "spouse_number": ("spouse_number",),
}


def lines(statements: Statements, element_rules: Sequence[ElementRule]) -> Table:
    """(person_id, ordinal, line, locator): one row for each statement, in no order. What was chosen, a person's lines and a person's locators, in
    order of ordinals and put together, are the dossier: each line and locator begins with its separator."""

    def written(part: Part) -> Table:
        rows = part.frame
        is_first = rows.ordinal == 0
        return rows.select(
            "person_id",
            "ordinal",
            line=_line(part, element_rules, is_first.ifelse(rules.DOSSIER_PART, rules.DOSSIER_RECORD)),
            locator=is_first.ifelse(rules.DOSSIER_PART, ",") + rows.assertion_id.cast("string"),
        )

    return statements.union(written)


def choices(winners: Winners, element_rules: Sequence[ElementRule]) -> Table:
    """Which statement won each element; one row for each person, in no order.

    Person_id, and whole numbers that hold the winners' ordinals, each plus 1 (0: nobody states the element), some elements in one: text is made of
    the few that differ, outside the engine (api/assembling.py). A column's name tells its elements, see `rules.packed_name`; a column
    that bears the name of one average is the text of what it came to.
    """
    packed, names = [], []
    for table in winners.tables:
        held = [(place, rule) for place, rule in enumerate(element_rules) if f"{rule.key}__won" in table.columns]
        columns: dict[str, Value] = {}
        for first in range(0, len(held), rules.ORDINALS_PACKED):
            some = held[first : first + rules.ORDINALS_PACKED]
            columns[rules.packed_name([(place, rule.tag, rule.letter) for place, rule in some])] = _packed(table, some)
        for place, rule in held:
            if rule.strategy == "average":
                columns[rules.packed_name([(place, rule.tag, rules.AVERAGED)])] = table[rule.columns[0]].cast("string")
        names += columns
        packed.append(table.select("person_id", **columns))
    return Winners(tuple(packed)).pick(*names)


def searchable(statements: Statements) -> Table:
    """(person_id, kind, value): every distinct name, pinyin, number and address by which a person may be looked up."""
    found = [rows.select("person_id", kind=ibis.literal(kind), value="value") for kind, rows in by_kind(statements)]
    if not found:
        # a profile may declare none of these elements: then nobody is found by name or number, and all else works
        rows = statements.parts[0].frame
        return rows.filter(ibis.literal(False)).select("person_id", kind=ibis.literal(""), value=ibis.literal(""))
    return ibis.union(*found) if len(found) > 1 else found[0]


def by_kind(statements: Statements) -> list[tuple[str, Table]]:
    """(kind, its distinct (person_id, value)) of every kind the statements have, in the order of the kinds' numbers.

    Each kind by itself: values of all kinds made distinct together would take the engine twice the time.
    """
    found = []
    for kind, columns in BLIND_COLUMNS.items():
        if said := [column for column in columns if statements.has(column)]:
            rows = [_initials(statements) if kind == INITIALS else _said(statements, column) for column in said]
            found.append((kind, (ibis.union(*rows) if len(rows) > 1 else rows[0]).distinct()))
    return found


def _said(statements: Statements, column: str) -> Table:
    rows = statements.union(lambda part: part.frame.select("person_id", value=column), lambda part: part.has(column))
    return rows.filter(rows.value.notnull())


def _initials(statements: Statements) -> Table:
    """First letters of the syllables with the year of birth, which narrows them: few letters are shared by thousands."""

    def said(part: Part) -> Table:
        born = part.frame.birth_on.cast("string") if part.has("birth_on") else ibis.literal("")
        year = ibis.coalesce(born, ibis.literal("")).substr(0, 4)
        return part.frame.select("person_id", pinyin="name__pinyin", year=year)

    named = statements.union(said, lambda part: part.has("name__pinyin"))
    # several sources say the same of a person: its letters are looked for once
    named = named.filter(named.pinyin.notnull()).distinct()
    # all but the letters that begin a word, in as few matches as may be: each costs more than the letters in it
    letters = named.pinyin.re_replace(r"\B[a-z]+ ?| ", "")
    return named.select("person_id", value=letters + ibis.literal("|") + named.year)


def tags(element_rules: Sequence[ElementRule]) -> Mapping[str, str]:
    """Value column → its mark in a dossier: the element's tag, and for a part of a composite the tag and the column's name."""
    return {
        column: f"{rule.tag}/{column}" if rule.is_composite else rule.tag
        for rule in element_rules
        for column in rule.columns
    }


def _line(part: Part, element_rules: Sequence[ElementRule], begins: Value) -> Value:
    """One statement: where it comes from, and what it says. `begins` is before it, put there while it is short: a line is copied each time."""
    rows = part.frame
    head = [
        begins + _padded(rows.ordinal),
        rows.source,
        ibis.coalesce(rows.record_key, ibis.literal("")),
        ibis.coalesce(rows.subject, ibis.literal("")),
        ibis.coalesce(rows.as_of.cast("string"), ibis.literal("")),
    ]
    # a null value makes a null field, which concatenation with a separator leaves out
    said = [
        ibis.literal(f"{tag}=") + as_text(rows, column)
        for column, tag in tags(element_rules).items()
        if part.has(column)
    ]
    return ibis.literal(rules.DOSSIER_FIELD).join([*head, *said])


def _packed(table: Table, held: Sequence[tuple[int, ElementRule]]) -> Value:
    """The ordinals of the elements' winners in one number."""
    found: Value = ibis.literal(0, "int64")
    for n, (_, rule) in enumerate(held):
        ordinal = ibis.coalesce(ordinal_of(table[f"{rule.key}__won"]), ibis.literal(-1, "int64"))
        found = found + (ordinal + 1) * rules.ORDINAL_ROOM**n
    return found


def _padded(ordinal: Value) -> Value:
    # so that the order of texts is the order of numbers; an engine's own padding writes the number five times
    return (ordinal.clip(upper=rules.ORDINAL_SPAN - 1) + PADDED).cast("string").substr(1)
