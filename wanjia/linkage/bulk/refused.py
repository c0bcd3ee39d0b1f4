"""Blocking keys that explode: which ones, what is wrong with them, and which source says it.

A value that very many records share (a placeholder, a default, a place that means "unknown") tells nobody apart, and comparing all who share it
would cost the square of their number. Such a key is refused; the source that says it most is told, so that it can be mended where it is wrong.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa

from wanjia.linkage.adapters.workspace import Workspace
from wanjia.linkage.bulk import kinds, pairs
from wanjia.linkage.declared import Linkage

#: records named in a finding, of each refused key
SHOWN = 20
#: a key that was sound when the model was trained is refused later only when it is so many times too large: no link changes by a hair
OVERGROWN = 5

FOUND = pa.schema([("source", pa.string()), ("element", pa.string()), ("assertion_id", pa.int64())])


@dataclass(frozen=True)
class _Term:
    """One part of a refused key: the term of the rule, its value, and how much commoner that is than the average value."""

    term: str
    value: str
    lift: float


def overgrown(work: Workspace, linkage: Linkage, *, nodes: str, keyed: str, driving: str) -> dict[str, list[str]]:
    """Rule → keys of `keyed` that what is new in `driving` has made far too large since the model was trained."""
    found = {}
    for i, rule in enumerate(linkage.blocking):
        text, _ = pairs.key_text(rule.on, linkage)
        large = f"""SELECT b{i} FROM {keyed} WHERE b{i} IN (SELECT b{i} FROM {driving} WHERE b{i} IS NOT NULL)
            GROUP BY b{i} HAVING count(*) > {OVERGROWN * linkage.largest_block}"""
        if not work.rows(f"SELECT count(*) FROM ({large}) k")[0][0]:
            continue
        rows = work.rows(
            f"""SELECT DISTINCT {text} FROM (SELECT n.* FROM {nodes} n JOIN {keyed} k ON k.node_id = n.node_id
            WHERE k.b{i} IN ({large})) m"""
        )
        if rows:
            found[rule.key] = sorted(str(key) for (key,) in rows)
    return found


def found_in(work: Workspace, linkage: Linkage, stopped: Mapping[str, list[str]], *, said: str) -> pa.Table:
    """What the refused keys come to: (source, element, assertion_id) of records that say the value, a few of each key.

    Each key is laid to the part that is commonest for its kind, and to the source that says it more often than its size lets expect. `said`: SQL of
    the assertions as standardised. A key that is small enough by now is left out.
    """
    totals = dict(work.rows("SELECT source, count(*) FROM lk_said GROUP BY source"))
    found: set[tuple[str, str, int]] = set()
    for rule in linkage.blocking:
        if not stopped.get(rule.key):
            continue
        for key, term in _blame(work, linkage, rule.on, stopped[rule.key]).items():
            work.make(
                "lk_blamed",
                f"""SELECT a.source, a.assertion_id FROM lk_blocked b JOIN lk_members m ON m.node_id = b.node_id
                JOIN lk_said a ON a.assertion_id = m.assertion_id
                WHERE b.key = {pairs.quoted(key)} AND {kinds.key_part(term.term, linkage, "a.")} = {pairs.quoted(term.value)}""",
            )
            by_source = work.rows("SELECT source, count(*) FROM lk_blamed GROUP BY source ORDER BY source")
            if not by_source:
                continue  # said by nobody: it came by way of kin
            source = _loudest(dict(by_source), totals)
            rows = work.rows(
                f"SELECT assertion_id FROM lk_blamed WHERE source = '{source}' ORDER BY assertion_id LIMIT {SHOWN}"
            )
            ids = [int(row[0]) for row in rows]
            element = _element_of(work, linkage, term.term, ids, said)
            found |= {(source, element, one) for one in ids}
    work.drop("lk_stopped", "lk_blocked", "lk_blamed")
    return pa.Table.from_pylist([dict(zip(FOUND.names, row, strict=True)) for row in sorted(found)], schema=FOUND)


def _blame(work: Workspace, linkage: Linkage, on: list[str], keys: list[str]) -> dict[str, _Term]:
    """Key → its commonest part, of the keys that are still too large; leaves their nodes in `lk_blocked`."""
    text, filled = pairs.key_text(on, linkage)
    work.put("lk_stopped", pa.table({"key": keys}))
    parts = [f"CAST({kinds.key_part(term, linkage)} AS STRING)" for term in on]
    listed = ", ".join(f"{part} AS p{i}" for i, part in enumerate(parts))
    work.make(
        "lk_blocked",
        f"""SELECT n.* FROM (SELECT node_id, {text} AS key, {listed} FROM lk_nodes WHERE {filled}) n
        JOIN lk_stopped s ON s.key = n.key""",
    )
    values = ", ".join(f"min(p{i})" for i in range(len(on)))
    rows = work.rows(
        f"SELECT key, {values} FROM lk_blocked GROUP BY key HAVING count(*) > {linkage.largest_block} ORDER BY key"
    )
    worst: dict[str, _Term] = {}
    for i, term in enumerate(on):
        filled_in, distinct = work.rows(f"SELECT count({parts[i]}), count(DISTINCT {parts[i]}) FROM lk_nodes")[0]
        counts = dict(
            work.rows(
                f"""SELECT p, count(*) FROM (SELECT {parts[i]} AS p FROM lk_nodes) n
                WHERE p IN (SELECT p{i} FROM lk_blocked) GROUP BY p"""
            )
        )
        for key, *said in rows:
            part = _Term(term, str(said[i]), counts[said[i]] * distinct / filled_in)
            if key not in worst or part.lift > worst[key].lift:
                worst[key] = part
    return worst


def _loudest(says: Mapping[str, int], totals: Mapping[str, int]) -> str:
    """The source that says a value most often for its size, of those with a fair part in it; by name where two are equal."""
    whole = sum(says.values())
    fair = [source for source, count in says.items() if count * len(says) >= whole]
    return min(fair, key=lambda source: (-says[source] / totals[source], source))


def _element_of(work: Workspace, linkage: Linkage, term: str, ids: list[int], said: str) -> str:
    """The element by which these records fill the feature: the first declared one that they have."""
    elements = linkage.feature(term.partition(".")[0]).elements
    if len(elements) == 1:
        return elements[0]
    available = set(work.columns(f"({said}) q"))
    present = [e for e in elements if e in available]
    counted = ", ".join(f"count({e})" for e in present)
    listed = ", ".join(map(str, ids))
    [counts] = work.rows(f"SELECT {counted} FROM ({said}) q WHERE assertion_id IN ({listed})")
    return next((e for e, n in zip(present, counts, strict=True) if n), elements[0])
