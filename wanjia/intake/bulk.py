"""Text rows to subjects, as relational expressions: record keys, refusals, exact repeats, one row for each person spoken of.

Every function takes and gives Ibis tables and runs on DuckDB and Spark alike, for one pushed row or a whole file.
"""

import datetime
from collections.abc import Collection, Mapping

import ibis

from wanjia.intake.declared import Source

FIELD_MARK = "\x1f"
NULL_MARK = "\x1e"
SUBJECT_BITS = 2
DELIVERY_BITS = 32
EXCEL_EPOCH = datetime.date(1899, 12, 30)


def filled(column: ibis.expr.types.StringColumn, missing: Collection[str]) -> ibis.expr.types.StringColumn:
    """The cell without spaces around it; null when it is empty or only says that nothing is known (`missing`)."""
    trimmed = column.strip()
    return trimmed.isin(["", *missing]).ifelse(ibis.null("string"), trimmed)


def keyed(text: ibis.Table, source: Source, naming: Collection[str], missing: Collection[str]) -> ibis.Table:
    """The text rows with cleaned cells, `record_key`, `row_digest`, and `reason`/`reason_column` of rows to be refused.

    `naming` are the elements that name a person (names and numbers): a row in which no subject has one is refused. `missing` are the
    texts by which the profile's departments say that nothing is known. The digest is over all declared columns as they came, so
    two rows with one digest are the same row.
    """
    declared = list(source.columns())
    digest = ibis.literal(FIELD_MARK).join([text[name].fill_null(NULL_MARK) for name in declared]).hexdigest("md5")
    rows = text.select("row_no", **{name: filled(text[name], missing) for name in declared}, row_digest=digest)
    if source.key:
        key = ibis.literal("|").join([rows[name].fill_null("") for name in source.key])
    else:
        key = rows.row_digest
    branches = [(rows[name].isnull(), "KEY_MISSING", name) for name in source.key]
    for subject in source.subjects:
        for name, column in subject.columns.items():
            if column.required and not subject.when and (name not in source.key):
                branches.append((rows[name].isnull(), "REQUIRED_MISSING", name))
    somebody = [_is_present(rows, source, index, naming) for index in range(len(source.subjects))]
    nobody = ~ibis.or_(*somebody)
    branches.append((nobody, "NOBODY_NAMED", None))
    reason, column = ibis.null("string"), ibis.null("string")
    for condition, code, name in reversed(branches):
        reason = condition.ifelse(code, reason)
        column = condition.ifelse(ibis.literal(name, "string") if name else ibis.null("string"), column)
    return rows.mutate(record_key=key, reason=reason, reason_column=column)


def _is_present(rows: ibis.Table, source: Source, index: int, naming: Collection[str]) -> ibis.expr.types.BooleanValue:
    """Does the row speak of this subject: its `when` column is filled, and something names the person?"""
    subject = source.subjects[index]
    conditions = [rows[subject.when].notnull()] if subject.when else []
    names = [rows[name].notnull() for name, column in subject.columns.items() if (column.part or column.element) in naming]
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


def day_of(text: ibis.expr.types.StringColumn) -> ibis.expr.types.DateColumn:
    """The day a source writes beside a record: ISO, 8 digits, Chinese, with or without a time, or a spreadsheet's serial number."""
    pattern = r"^(\d{4})[^\d]?(\d{1,2})[^\d]?(\d{1,2})"
    year, month, day = (text.re_extract(pattern, group) for group in (1, 2, 3))
    iso = year + "-" + month.lpad(2, "0") + "-" + day.lpad(2, "0")
    serial = text.re_search(r"^\d{5}(\.\d+)?$")
    days = serial.ifelse(text.substr(0, 5), ibis.null("string")).try_cast("int32")
    return serial.ifelse(ibis.literal(EXCEL_EPOCH) + days.as_interval("D"), iso.try_cast("date"))


def with_as_of(rows: ibis.Table, source: Source, received_on: datetime.date) -> ibis.Table:
    """The rows with `as_of`, the day the source says the record was true.

    It is the day of receipt when the source gives none, an unreadable one, or one that had not come yet; `as_of_reason` says which of
    the latter two it was.
    """
    received = ibis.literal(received_on)
    if not source.as_of.column:
        return rows.mutate(as_of=received, as_of_reason=ibis.null("string"))
    said = rows[source.as_of.column]
    day = day_of(said)
    unreadable, too_late = said.notnull() & day.isnull(), day > received
    reason = unreadable.ifelse("AS_OF_UNREADABLE", too_late.ifelse("AS_OF_IN_FUTURE", ibis.null("string")))
    return rows.mutate(as_of=(day.isnull() | too_late).ifelse(received, day), as_of_reason=reason)


def subject_rows(rows: ibis.Table, source: Source, delivery_id: int, naming: Collection[str]) -> ibis.Table:
    """One row for each person a record speaks of: the frame's columns and the raw text of every element of the source.

    `rows` come from `with_as_of`. Local codes are replaced by standard ones here.
    """
    targets: dict[str, None] = {}
    for subject in source.subjects:
        targets.update(dict.fromkeys(column.part or column.element for column in subject.columns.values()))
    parts = []
    for index, subject in enumerate(source.subjects):
        present = rows.filter(_is_present(rows, source, index, naming))
        raw = {c.part or c.element: _standard_codes(present[name], c.codes) for name, c in subject.columns.items()}
        parts.append(
            present.select(
                assertion_id=(
                    ibis.literal(delivery_id << DELIVERY_BITS, "int64")
                    + present.row_no * (1 << SUBJECT_BITS)
                    + ibis.literal(index, "int64")
                ).cast("int64"),
                source=ibis.literal(source.code),
                delivery_id=ibis.literal(delivery_id, "int32"),
                row_no=present.row_no.cast("int32"),
                record_key=present.record_key,
                subject=ibis.literal(subject.role),
                as_of=present.as_of,
                as_of_reason=present.as_of_reason,
                **{target: raw.get(target, ibis.null("string")) for target in targets},
            )
        )
    return parts[0] if len(parts) == 1 else ibis.union(*parts, distinct=False)


def _standard_codes(column: ibis.expr.types.StringColumn, codes: Mapping[str, str]) -> ibis.expr.types.StringColumn:
    if not codes:
        return column
    return column.cases(*codes.items(), else_=column)


def superseded(heads: ibis.Table) -> ibis.Table:
    """The assertion_id of every assertion that a later record of the same source, key and subject has replaced.

    `heads` has assertion_id, source, record_key, subject, as_of, delivery_id, row_no of active deliveries. Only keys that occur more than
    once are ranked: they are few, and ranking everything would cost a sort of the whole register.
    """
    keys = ["source", "record_key", "subject"]
    several = heads.group_by(keys).agg(records=heads.count()).filter(lambda t: t.records > 1).drop("records")
    contested = heads.semi_join(several, keys)
    order = ibis.window(
        group_by=keys, order_by=[ibis.desc("as_of"), ibis.desc("delivery_id"), ibis.desc("row_no")]
    )
    ranked = contested.mutate(place=ibis.row_number().over(order))
    return ranked.filter(ranked.place > 0).select("assertion_id")
