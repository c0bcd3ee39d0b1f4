"""What stands: the keys and digests of earlier deliveries' rows, against which exact repeats are told."""

import pyarrow as pa

from wanjia.intake.api.sources import lake

HEAD_COLUMNS = ["row_no", "record_key", "row_digest", "as_of"]
CHUNKS_KEPT = 64
_heads_seen: dict[str, tuple[list[int], pa.Table]] = {}


def known_heads(source: str, deliveries: list[int]) -> pa.Table:
    """The heads (HEAD_COLUMNS and delivery_id) of these deliveries of one source, in order; kept in memory between calls.

    A worker asks again for every push; only deliveries it has not seen are read. A withdrawal makes the list of deliveries another
    one, and everything is read afresh.
    """
    seen, table = _heads_seen.get(source, ([], None))
    if table is None or deliveries[: len(seen)] != seen:
        seen, table = [], None
    fresh = [_heads_of(delivery_id) for delivery_id in deliveries[len(seen) :]]
    if fresh:
        table = pa.concat_tables([*([table] if table is not None else []), *fresh])
        if table["row_no"].num_chunks > CHUNKS_KEPT:
            table = table.combine_chunks()
        _heads_seen[source] = (list(deliveries), table)
    return table


def forget_heads() -> None:
    """Let go of what `known_heads` keeps: after a withdrawal a delivery's repeats are found anew under the same number."""
    _heads_seen.clear()


def _heads_of(delivery_id: int) -> pa.Table:
    heads = lake().read(f"heads/{delivery_id}")
    return heads.append_column("delivery_id", pa.array([delivery_id] * heads.num_rows, pa.int32()))
