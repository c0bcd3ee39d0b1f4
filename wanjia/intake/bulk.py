"""What becomes of text rows, as relational expressions: record keys, refusals, exact repeats, which persons are spoken of.

Every function takes and gives Ibis tables and runs on DuckDB and Spark alike, for one pushed row or a whole file.
"""

import re
from collections.abc import Collection, Mapping

import ibis

from wanjia.intake.declared import Source, Subject

FIELD_MARK = "\x1f"
NULL_MARK = "\x1e"
SPACES = "[ \t\n\r\v\f]"


def is_blank(column: ibis.expr.types.StringColumn, missing: Collection[str]) -> ibis.expr.types.BooleanColumn:
    """Is the cell empty, or does it only say that nothing is known (`missing`), with whatever spaces around it?

    One pattern, because a clean cell fails it at its first character: trimming every cell and looking it up costs four times as much.
    """
    words = "|".join(re.escape(word) for word in sorted({word.strip() for word in missing} - {""}))
    return column.re_search(f"^{SPACES}*(?:{words})?{SPACES}*$").fill_null(True)


def keyed(text: ibis.Table, source: Source, naming: Collection[str], missing: Collection[str]) -> ibis.Table:
    """row_no, `record_key`, `row_digest`, and `blank_0`, `blank_1` …: which of the deciding cells say nothing.

    `naming` are the elements that name a person (names and numbers). `missing` are the texts by which the profile's departments say that
    nothing is known. The digest is over all declared columns as they came,
    so two rows with one digest are the same row. Only cells that decide something are looked into; cleaning the others is the business of
    standardising. Keep the result as a table before `judged`: the engine would look into the cells once for every use.
    """
    declared = list(source.columns())
    digest = ibis.literal(FIELD_MARK).join([text[name].fill_null(NULL_MARK) for name in declared]).hexdigest("md5")
    if source.key:
        told = [ibis.ifelse(is_blank(text[name], missing), "", _stripped(text[name])) for name in source.key]
        key = ibis.literal("|").join(told)
    else:
        key = digest
    blanks = {f"blank_{place}": is_blank(text[name], missing) for place, name in enumerate(_deciding(source, naming))}
    return text.select("row_no", record_key=key, row_digest=digest, **blanks)


def _stripped(column: ibis.expr.types.StringColumn) -> ibis.expr.types.StringColumn:
    """The cell without spaces around it. Looking whether there are any costs a third of the trimming."""
    return ibis.ifelse(column.re_search(f"^{SPACES}|{SPACES}$"), column.strip(), column)


def judged(rows: ibis.Table, source: Source, naming: Collection[str]) -> ibis.Table:
    """Rows from `keyed` with `reason`/`reason_column` of those to be refused, and `present_0`, `present_1` …: whether each of the
    source's subjects is spoken of. A row in which no subject is, is refused.
    """
    is_blank = {name: rows[f"blank_{place}"] for place, name in enumerate(_deciding(source, naming))}
    branches = [(is_blank[name], "KEY_MISSING", name) for name in source.key]
    for subject in source.subjects:
        for name, column in subject.columns.items():
            if column.required and not subject.when and name not in source.key:
                branches.append((is_blank[name], "REQUIRED_MISSING", name))
    present = [_is_present(is_blank, subject, naming) for subject in source.subjects]
    branches.append((~ibis.or_(*present), "NOBODY_NAMED", None))
    reason, reason_column = ibis.null("string"), ibis.null("string")
    for condition, code, name in reversed(branches):
        reason = condition.ifelse(code, reason)
        reason_column = condition.ifelse(ibis.literal(name, "string") if name else ibis.null("string"), reason_column)
    marks = {f"present_{index}": mark for index, mark in enumerate(present)}
    return rows.mutate(reason=reason, reason_column=reason_column, **marks)


def _deciding(source: Source, naming: Collection[str]) -> list[str]:
    """The columns whose being filled or not decides about a row."""
    named = [
        name
        for subject in source.subjects
        for name, column in subject.columns.items()
        if column.required or (column.part or column.element) in naming
    ]
    return list(dict.fromkeys([*source.key, *named, *(subject.when for subject in source.subjects if subject.when)]))


def _is_present(
    is_blank: Mapping[str, ibis.expr.types.BooleanValue], subject: Subject, naming: Collection[str]
) -> ibis.expr.types.BooleanValue:
    """Does the row speak of this subject: its `when` column is filled, and something names the person?"""
    conditions = [~is_blank[subject.when]] if subject.when else []
    names = [~is_blank[name] for name, column in subject.columns.items() if (column.part or column.element) in naming]
    if names:
        conditions.append(ibis.or_(*names))
    return ibis.and_(*conditions) if conditions else ibis.literal(True)


def first_of_each(rows: ibis.Table) -> ibis.Table:
    """The rows to be taken, with `is_repeat`: whether the file held the same row already, further up."""
    doubled = (
        rows.group_by("row_digest")
        .agg(first_row=rows.row_no.min(), copies=rows.count())
        .filter(lambda t: t.copies > 1)
        .select(doubled_digest="row_digest", first_row="first_row")
    )
    joined = rows.left_join(doubled, rows.row_digest == doubled.doubled_digest)
    is_repeat = (joined.first_row.notnull() & (joined.row_no != joined.first_row)).fill_null(False)
    return joined.mutate(is_repeat=is_repeat).drop("doubled_digest", "first_row")


def without_standing(rows: ibis.Table, standing: ibis.Table) -> ibis.Table:
    """The rows, those that are in `standing` (same key and content) marked as repeats too."""
    known = standing.select(known_digest="row_digest").distinct()
    joined = rows.left_join(known, rows.row_digest == known.known_digest)
    return joined.mutate(is_repeat=joined.is_repeat | joined.known_digest.notnull()).drop("known_digest")


def newest_of_each(rows: ibis.Table) -> ibis.Table:
    """Of rows with record_key, as_of, delivery_id and row_no: the one that stands for each key."""
    order = ibis.window(
        group_by="record_key",
        order_by=[ibis.desc("as_of"), ibis.desc("delivery_id"), ibis.desc("row_no")],
    )
    return rows.mutate(place=ibis.row_number().over(order)).filter(lambda t: t.place == 0).drop("place")


def superseded(heads: ibis.Table) -> ibis.Table:
    """The assertion_id of every assertion that a later record of the same source, key and subject has replaced.

    `heads` has assertion_id, source, record_key, subject, as_of, delivery_id, row_no of active deliveries. Only keys that occur more than
    once are ranked: they are few, and ranking everything would cost a sort of the whole register.
    """
    keys = ["source", "record_key", "subject"]
    # a number is told apart for half of what a text costs; where it serves for two keys, both are ranked in vain
    heads = heads.mutate(mark=heads.record_key.hash())
    alike = ["mark", "subject"]
    several = heads.group_by(alike).agg(records=heads.count()).filter(lambda t: t.records > 1).drop("records")
    contested = heads.semi_join(several, alike)
    order = ibis.window(group_by=keys, order_by=[ibis.desc("as_of"), ibis.desc("delivery_id"), ibis.desc("row_no")])
    ranked = contested.mutate(place=ibis.row_number().over(order))
    return ranked.filter(ranked.place > 0).select("assertion_id")
