"""Whom the id of a person who is no more stands for now."""

from collections.abc import Collection

import pyarrow as pa

from wanjia.kernel.engine import Engine
from wanjia.kernel.lake import Lake
from wanjia.linkage.adapters.workspace import Workspace
from wanjia.linkage.api import state
from wanjia.linkage.bulk import persons
from wanjia.linkage.errors import NoLinks


def successors(engine: Engine, *, lake: Lake, former_ids: Collection[int]) -> dict[int, int]:
    """Former id → the person who now holds the record that id came from; ids whose founding record is gone are left out.

    An id comes from its founding record, so nothing need be remembered of how persons merged, in one step or in several. Raises `NoLinks`.
    """
    if not former_ids:
        return {}
    if not lake.exists(state.LINKS):
        raise NoLinks
    work = Workspace(engine)
    work.put("lk_former", pa.table({"former_id": pa.array(sorted(former_ids), pa.int64())}))
    work.put("lk_founding", lake.read(state.KEYS))
    work.put("lk_holders", lake.read(state.LINKS).select(["assertion_id", "person_id", "band"]))
    founded = persons.FIRST_63_BITS[work.kind].format(text=persons.founder_text("k"))
    # in two steps: of one statement the planner makes "every former id beside every link but its own" first, which no memory holds
    work.make(
        "lk_founders",
        f"""SELECT k.assertion_id, f.former_id FROM (SELECT k.assertion_id, {founded} AS person_id FROM lk_founding k) k
        JOIN lk_former f ON f.former_id = k.person_id""",
    )
    found = work.rows(
        """SELECT f.former_id, h.person_id FROM lk_founders f JOIN lk_holders h ON h.assertion_id = f.assertion_id
        WHERE h.band = 'link'"""
    )
    work.drop("lk_former", "lk_founding", "lk_founders", "lk_holders")
    return {int(former): int(person) for former, person in found if former != person}
