"""Links and review cases into PostgreSQL: whole by COPY the first time, afterwards only what differs."""

import hashlib
import io

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
from django.db import connection, transaction

from wanjia.kernel import clock
from wanjia.kernel.database import copy_csv, filled_anew
from wanjia.linkage.models import Link, LinkRun, ReviewCase
from wanjia.linkage.rules.closing import SHARED_NUMBER

COLUMNS = ["assertion_id", "person_id", "probability", "band", "method", "evidence", "weight", "model"]
CASE_COLUMNS = [
    "assertion_l",
    "assertion_r",
    "person_l",
    "person_r",
    "probability",
    "reason",
    "evidence",
    "model",
    "record_l",
    "record_r",
    "band",
]
PIECE_ROWS = 200_000


def load_links(
    links: pa.Table,
    review: pa.Table,
    *,
    before: pa.Table | None = None,
    review_share: float,
    figures: dict[str, object] | None = None,
) -> dict[str, int]:
    """Bring the link table and the review queue to what linking made; returns rows written and removed.

    Safe to repeat and to interrupt: what the tables hold is told by a digest kept in the same transaction; only the difference is written where
    that is `before`, the links of the run before, and everything where it is not. Cases an officer has decided are never touched. The queue holds at
    most `review_share` of the persons.
    """
    links = links.select(COLUMNS)
    digest = _digest(links)
    last = LinkRun.objects.order_by("-id").first()
    if last is not None and last.links_digest == digest:
        fresh, gone = links.slice(0, 0), []
    elif last is not None and before is not None and _digest(before := before.select(COLUMNS)) == last.links_digest:
        fresh, gone = _difference(before, links)
    else:
        fresh, gone = links, None
    model = links.column("model")[0].as_py() if links.num_rows else ""
    with transaction.atomic(), connection.cursor() as cursor:
        _write_links(cursor, fresh, gone)
        cases = _write_cases(cursor, _queue(review, links, review_share), model)
        LinkRun.objects.create(
            ran_at=clock.now(),
            model=model,
            was_trained=bool((figures or {}).get("trained")),
            links_digest=digest,
            figures=figures or {},
        )
    return {"links": fresh.num_rows, "removed": len(gone) if gone is not None else 0, "cases": cases}


def _queue(review: pa.Table, links: pa.Table, share: float) -> pa.Table:
    """The pairs that are put before officers: every shared number, then the likeliest, as many as people can look at."""
    room = int(pc.count_distinct(links.column("person_id")).as_py() * share)
    if review.num_rows <= room:
        return review
    later = pc.not_equal(review.column("reason"), SHARED_NUMBER).cast(pa.int8())
    ranked = review.append_column("later", later).sort_by(
        [("later", "ascending"), ("probability", "descending"), ("l", "ascending"), ("r", "ascending")]
    )
    must = review.num_rows - pc.sum(later).as_py()
    return ranked.slice(0, max(room, must)).drop_columns(["later"])


@transaction.atomic
def load_few(links: pa.Table, gone: list[int], review: pa.Table) -> set[int]:
    """Write what the fast lane changed: links anew, links gone, cases opened. Returns the persons who held those assertions before.

    The digest of the last whole load no longer tells what the table holds, so the next whole load writes everything.
    """
    changed = [*links.column("assertion_id").to_pylist(), *gone]
    model = links.column("model")[0].as_py() if links.num_rows else ""
    with connection.cursor() as cursor:
        cursor.execute(f'SELECT person_id FROM "{Link._meta.db_table}" WHERE assertion_id = ANY(%s)', [changed])
        before = {person for (person,) in cursor.fetchall()}
        _write_links(cursor, links.select(COLUMNS), changed)
        if review.num_rows:
            _write_cases(cursor, review, model, whole=False)
    LinkRun.objects.exclude(links_digest="").update(links_digest="")
    return before


def _digest(links: pa.Table) -> str:
    """A digest of the rows in the order of their ids."""
    said = hashlib.sha256()
    for name in COLUMNS:
        column = links.column(name).combine_chunks()
        if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
            column = column.dictionary_encode()
            said.update("|".join(column.dictionary.to_pylist()).encode())
            column = column.indices
        # nulls have no bytes of their own
        said.update(pc.is_null(column).cast(pa.int8()).to_numpy(zero_copy_only=False).tobytes())
        said.update(pc.fill_null(column, 0).to_numpy(zero_copy_only=False).tobytes())
    return said.hexdigest()


def _difference(before: pa.Table, links: pa.Table) -> tuple[pa.Table, list[int]]:
    """Rows of `links` that are not in `before`, and ids to remove before they are written."""
    same = None
    old = before.rename_columns([f"old_{c}" for c in before.column_names])
    both = links.join(old, keys="assertion_id", right_keys="old_assertion_id", join_type="left outer")
    for name in COLUMNS[1:]:
        x, y = both.column(name), both.column(f"old_{name}")
        equal = pc.or_kleene(pc.and_(pc.is_null(x), pc.is_null(y)), pc.fill_null(pc.equal(x, y), False))
        same = equal if same is None else pc.and_(same, equal)
    fresh = both.filter(pc.invert(same)).select(COLUMNS)
    gone = pc.filter(
        before.column("assertion_id"), pc.invert(pc.is_in(before.column("assertion_id"), links.column("assertion_id")))
    )
    changed = pc.filter(
        fresh.column("assertion_id"), pc.is_in(fresh.column("assertion_id"), before.column("assertion_id"))
    )
    return fresh, [*gone.to_pylist(), *changed.to_pylist()]


def _write_links(cursor, fresh: pa.Table, gone: list[int] | None) -> None:
    table = Link._meta.db_table
    if gone is None:
        # one model made them all: as a default its name is neither written nor read a million times
        model = fresh.column("model")[0].as_py() if fresh.num_rows else ""
        cursor.execute(f'ALTER TABLE "{table}" ALTER COLUMN model SET DEFAULT %s', [model])
        with filled_anew(cursor, table):
            copy_csv(cursor, table, COLUMNS[:-1], _csv_pieces(fresh.select(COLUMNS[:-1])), is_anew=True)
        cursor.execute(f'ALTER TABLE "{table}" ALTER COLUMN model DROP DEFAULT')
        return
    if gone:
        cursor.execute(f'DELETE FROM "{table}" WHERE assertion_id = ANY(%s)', [gone])
    if fresh.num_rows:
        copy_csv(cursor, table, COLUMNS, _csv_pieces(fresh))


def _csv_pieces(table: pa.Table):
    options = pa.csv.WriteOptions(include_header=False)
    for start in range(0, table.num_rows, PIECE_ROWS):
        sink = io.BytesIO()
        pa.csv.write_csv(table.slice(start, PIECE_ROWS), sink, options)
        yield sink.getvalue()


def _write_cases(cursor, review: pa.Table, model: str, *, whole: bool = True) -> int:
    """Open the cases of `review`, refresh those that are still open; if it is the `whole` queue, drop open ones nobody asks any more."""
    table = ReviewCase._meta.db_table
    cursor.execute("DROP TABLE IF EXISTS pg_temp.linkage_case_incoming")
    cursor.execute(f'CREATE TEMP TABLE linkage_case_incoming (LIKE "{table}" INCLUDING DEFAULTS) ON COMMIT DROP')
    cursor.execute(
        "ALTER TABLE linkage_case_incoming ALTER id DROP NOT NULL, ALTER status DROP NOT NULL, ALTER opened_at DROP NOT NULL"
    )
    rows = review.select(
        ["l", "r", "person_l", "person_r", "probability", "reason", "pattern", "record_l", "record_r", "band"]
    )
    rows = rows.add_column(7, "model", pa.array([model] * rows.num_rows, pa.string())).rename_columns(CASE_COLUMNS)
    if rows.num_rows:
        copy_csv(cursor, "linkage_case_incoming", CASE_COLUMNS, _csv_pieces(rows))
    named = ", ".join(CASE_COLUMNS)
    renewed = ", ".join(f"{c} = EXCLUDED.{c}" for c in CASE_COLUMNS[2:])
    cursor.execute(
        f"""INSERT INTO "{table}" ({named}, status, opened_at)
        SELECT DISTINCT ON (assertion_l, assertion_r) {named}, 'open', %s FROM linkage_case_incoming
        ORDER BY assertion_l, assertion_r, probability DESC, reason
        ON CONFLICT (assertion_l, assertion_r) DO UPDATE SET {renewed} WHERE "{table}".status = 'open'""",
        [clock.now()],
    )
    if not whole:
        return rows.num_rows
    cursor.execute(
        f"""DELETE FROM "{table}" c WHERE c.status = 'open' AND NOT EXISTS (SELECT 1 FROM linkage_case_incoming i
        WHERE i.assertion_l = c.assertion_l AND i.assertion_r = c.assertion_r)"""
    )
    return rows.num_rows
