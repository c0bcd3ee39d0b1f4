"""A batch of text rows becomes assertions: one path for a pushed row and a million-row file. Nothing is kept here."""

import datetime
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass

import numpy
import pyarrow as pa
import pyarrow.compute as pc

from wanjia.intake import bulk
from wanjia.intake.adapters.rows import ReadRows, RefusedRow, SpoiledValue, kept_cells
from wanjia.intake.api.heads import HEAD_COLUMNS, known_heads
from wanjia.intake.api.prepared import runner_of
from wanjia.intake.api.subjects import ISSUE_SCHEMA, Taken, assertion_id, begin_spoken
from wanjia.intake.declared import Source
from wanjia.intake.errors import MostRowsRefused
from wanjia.intake.rules import are_too_many_refused
from wanjia.kernel.engine import Engine
from wanjia.standards import api as standards

# threads beside the engine: where most texts are known it has little to do, and one alone keeps it waiting
LAYERS = 2
SMALL_BATCH = 10_000  # up to here the rows that stand are looked up by key instead of being loaded whole
TEXT, KEYED, STANDING = "intake_text", "intake_keyed", "intake_standing"


@dataclass(frozen=True)
class Standardised:
    """What a batch of text rows became. Counts keep: rows in = accepted + quarantined + repeats."""

    assertions: pa.Table
    issues: pa.Table  # assertion_id, element, reason
    heads: pa.Table  # HEAD_COLUMNS of the accepted rows
    refused: list[RefusedRow]
    rows_in: int
    accepted: int
    repeats: int


def standardise_text(
    engine: Engine,
    source: Source,
    read: ReadRows,
    profile: standards.Profile,
    *,
    delivery_id: int,
    received_on: datetime.date,
    standing_before: list[int],
) -> Standardised:
    """The one path for a pushed row and a million-row file."""
    with ThreadPoolExecutor(LAYERS, "laying") as laying:
        return begin_text(
            engine, source, read, profile, laying,
            delivery_id=delivery_id, received_on=received_on, standing_before=standing_before,
        )()  # fmt: skip


def begin_text(
    engine: Engine,
    source: Source,
    read: ReadRows,
    profile: standards.Profile,
    laying: Executor,
    *,
    delivery_id: int,
    received_on: datetime.date,
    standing_before: list[int],
) -> Callable[[], Standardised]:
    """All that needs the engine, so that it is free for the next batch; what is returned does the rest, in whatever thread it is called.

    `laying` are threads beside the engine's.
    """
    text = _without_spoiled(read)
    runner = runner_of(engine, text.num_rows)
    of = (source.code, id(source), id(profile))
    engine.put(TEXT, text, lent=True)
    refused_now, keys = runner.run(("keyed", *of), lambda on: _keyed_steps(on, source, profile))
    engine.drop(TEXT)
    _bear(read, refused_now)
    refused = sorted([*read.refused, *_with_cells(refused_now, text)], key=lambda row: row.row_no)
    heads = _standing_heads(source, standing_before, keys)
    if heads is not None:
        engine.put(STANDING, heads)
    (judged,) = runner.run(
        ("taken", heads is not None, *of), lambda on: _taken_steps(on, source, profile, heads is not None)
    )
    for name in (KEYED, STANDING):
        engine.drop(name)
    received = pa.scalar(received_on, pa.date32())
    taken = _taken(text, judged)
    speaking = begin_spoken(engine, source, profile, taken, laying, delivery_id=delivery_id, received=received)

    def rest() -> Standardised:
        said = speaking()
        accepted = judged.num_rows
        return Standardised(
            assertions=said.assertions,
            issues=pa.concat_tables([said.issues, _spoiled_issues(read.spoiled, source, delivery_id)]),
            heads=_heads(taken, said.as_of),
            refused=refused,
            rows_in=read.rows_in,
            accepted=accepted,
            repeats=read.rows_in - len(refused) - accepted,
        )

    return rest


def _keyed_steps(engine: Engine, source: Source, profile: standards.Profile) -> list[pa.Table]:
    """Keys, digests and refusals of the loaded text: [rows refused with why, record keys (none when there are many rows)]."""
    naming = _naming(profile)
    rows = engine.save(KEYED, bulk.keyed(engine.con.table(TEXT), source, naming, profile.file.missing))
    rows = bulk.judged(rows, source, naming)
    refused = engine.arrow(rows.filter(rows.reason.notnull()).select("row_no", "reason", "reason_column"))
    keys = engine.arrow(rows.filter(rows.reason.isnull()).select("record_key").limit(SMALL_BATCH + 1))
    return [refused, keys]


def _naming(profile: standards.Profile) -> set[str]:
    """The columns that name a person."""
    return {
        column.key
        for element in profile.elements.values()
        for column in element.columns
        # a new-born's record may name nobody but the mother, by number: numbers of any scheme count
        if column.type in ("name", "identity_number")
    }


def _taken_steps(engine: Engine, source: Source, profile: standards.Profile, has_standing: bool) -> list[pa.Table]:
    """The rows that are neither refused nor repeats: [row_no, record_key, row_digest, present_0, present_1 …]."""
    rows = bulk.judged(engine.con.table(KEYED), source, _naming(profile))
    marked = bulk.first_of_each(rows.filter(rows.reason.isnull()))
    if has_standing:
        standing = engine.con.table(STANDING)
        # when the day of delivery is the record's day, a value that came back is news: only what stands now can be repeated
        marked = bulk.without_standing(marked, standing if source.as_of.column else bulk.newest_of_each(standing))
    present = [f"present_{number}" for number in range(len(source.subjects))]
    return [engine.arrow(marked.filter(~marked.is_repeat).select("row_no", "record_key", "row_digest", *present))]


def _taken(text: pa.Table, judged: pa.Table) -> Taken:
    """The rows that are taken, in the order of the delivery."""
    judged = judged.sort_by("row_no").combine_chunks()
    if judged.num_rows == text.num_rows:
        return Taken(text, None, judged)
    # the few rows that are not taken stay in the text: leaving them out would copy all the others
    places = numpy.searchsorted(text["row_no"].to_numpy(), judged["row_no"].to_numpy())
    return Taken(text, pa.array(places), judged)


def _heads(taken: Taken, as_of: pa.Array) -> pa.Table:
    row_no, record_key, row_digest = (taken.judged[name] for name in HEAD_COLUMNS[:-1])
    return pa.table([row_no.cast(pa.int32()), record_key, row_digest, as_of], names=HEAD_COLUMNS)


def _standing_heads(source: Source, deliveries: list[int], keys: pa.Table) -> pa.Table | None:
    """Rows of earlier deliveries that a row of this one may merely repeat; None when there are none."""
    if not deliveries:
        return None
    heads = known_heads(source.code, deliveries)
    if keys.num_rows <= SMALL_BATCH:
        heads = heads.filter(pc.is_in(heads["record_key"], keys["record_key"].combine_chunks()))
    return heads if heads.num_rows else None


def _without_spoiled(read: ReadRows) -> pa.Table:
    """The text with spoiled cells emptied: a number that lost digits is worse than none."""
    table = read.table
    by_column: dict[str, list[int]] = {}
    for value in read.spoiled:
        by_column.setdefault(value.column, []).append(value.row_no)
    for name, row_nos in by_column.items():
        spoiled = pc.is_in(table["row_no"], pa.array(row_nos, pa.int64()))
        emptied = pc.if_else(spoiled, pa.scalar(None, pa.string()), table[name])
        table = table.set_column(table.column_names.index(name), name, emptied)
    return table


def _bear(read: ReadRows, refused_now: pa.Table) -> None:
    """Go on, or refuse the delivery whole when most of very many rows are refused: quarantine is for rows, not for exports."""
    count = len(read.refused) + refused_now.num_rows
    if are_too_many_refused(count, read.rows_in):
        reasons = Counter(row.reason for row in read.refused) + Counter(refused_now["reason"].to_pylist())
        raise MostRowsRefused(rows=read.rows_in, refused=count, reason=reasons.most_common(1)[0][0])


def _with_cells(refused: pa.Table, text: pa.Table) -> list[RefusedRow]:
    """The refused rows with their raw cells, taken from the text as it came."""
    if not refused.num_rows:
        return []
    why = {row["row_no"]: row for row in refused.to_pylist()}
    cells = text.filter(pc.is_in(text["row_no"], refused["row_no"].combine_chunks()))
    found = []
    for row in cells.to_pylist():
        row_no = row.pop("row_no")
        found.append(RefusedRow(row_no, why[row_no]["reason_column"], why[row_no]["reason"], kept_cells(row.items())))
    return found


def _spoiled_issues(spoiled: list[SpoiledValue], source: Source, delivery_id: int) -> pa.Table:
    rows = []
    for value in spoiled:
        for index, subject in enumerate(source.subjects):
            if column := subject.columns.get(value.column):
                assertion = assertion_id(delivery_id, value.row_no, index)
                rows.append(
                    {"assertion_id": assertion, "element": column.part or column.element, "reason": value.reason}
                )
    return pa.Table.from_pylist(rows, schema=ISSUE_SCHEMA)
