"""Counting how good links are against truth: by contingency, never by listing pairs."""

from wanjia.linkage.adapters.workspace import Workspace

PAIRS = "sum(n * (n - 1) / 2)"


def make_judged(work: Workspace, *, keys: str, links: str, truth: str) -> None:
    """`lk_judged_links`: assertion_id, source, person_id, truth, band, probability of every linked record that truth knows."""
    work.make(
        "lk_judged_links",
        f"""SELECT l.assertion_id, k.source, l.person_id, t.person AS truth, l.band, l.probability
        FROM {links} l JOIN {keys} k ON l.assertion_id = k.assertion_id
        JOIN {truth} t ON t.source = k.source AND t.record_key = k.record_key AND t.subject = k.subject""",
    )


def whole(work: Workspace) -> tuple[float, float, float]:
    """(pairs found rightly, pairs found, pairs there are)."""
    return tuple(
        float(
            work.rows(f"SELECT coalesce({PAIRS}, 0) FROM (SELECT count(*) AS n FROM lk_judged_links GROUP BY {by}) g")[
                0
            ][0]
        )
        for by in ("truth, person_id", "person_id", "truth")
    )


def by_source_pair(work: Workspace) -> list[tuple[str, str, float, float, float]]:
    """(source, source, found rightly, found, there are) of every pair of sources."""
    parts = []
    for name, by in (("hit", "truth, person_id"), ("found", "person_id"), ("there", "truth")):
        columns = by.split(", ")
        same = " AND ".join(f"x.{c} = y.{c}" for c in columns)
        work.make("lk_counts", f"SELECT {by}, source, count(*) AS n FROM lk_judged_links GROUP BY {by}, source")
        # the self-join runs over the sources of one person, a handful; in a giant false cluster it is still sources, not records
        work.make(
            f"lk_counts_{name}",
            f"""SELECT x.source AS a, y.source AS b,
            sum(CASE WHEN x.source = y.source THEN x.n * (x.n - 1) / 2 ELSE x.n * y.n END) AS pairs
            FROM lk_counts x JOIN lk_counts y ON {same} AND x.source <= y.source GROUP BY x.source, y.source""",
        )
        parts.append(name)
    return [
        (a, b, float(hit), float(found), float(there))
        for a, b, hit, found, there in work.rows(
            """SELECT t.a, t.b, coalesce(h.pairs, 0), coalesce(f.pairs, 0), coalesce(t.pairs, 0) FROM lk_counts_there t
            LEFT JOIN lk_counts_hit h ON t.a = h.a AND t.b = h.b LEFT JOIN lk_counts_found f ON t.a = f.a AND t.b = f.b
            ORDER BY t.a, t.b"""
        )
        if there or found
    ]


def by_fault(work: Workspace, *, faults: str) -> list[tuple[str, int, float, float, float]]:
    """(fault, records, found rightly, found, there are): partners of every record that bears the fault (`faults`: assertion_id, fault)."""
    for name, by in (("hit", "truth, person_id"), ("found", "person_id"), ("there", "truth")):
        work.make(f"lk_mates_{name}", f"SELECT {by}, count(*) - 1 AS n FROM lk_judged_links GROUP BY {by}")
    return [
        (fault, int(records), float(hit), float(found), float(there))
        for fault, records, hit, found, there in work.rows(
            f"""SELECT f.fault, count(*), sum(h.n), sum(p.n), sum(t.n) FROM {faults} f
            JOIN lk_judged_links j ON j.assertion_id = f.assertion_id
            JOIN lk_mates_hit h ON h.truth = j.truth AND h.person_id = j.person_id
            JOIN lk_mates_found p ON p.person_id = j.person_id JOIN lk_mates_there t ON t.truth = j.truth
            GROUP BY f.fault ORDER BY f.fault"""
        )
    ]


def persons_fused(work: Workspace) -> tuple[int, int, int]:
    """(persons the register has, persons there are, register persons that hold two or more)."""
    return tuple(
        int(v)
        for v in work.rows(
            """SELECT count(*), (SELECT count(DISTINCT truth) FROM lk_judged_links), sum(CASE WHEN n > 1 THEN 1 ELSE 0 END)
            FROM (SELECT person_id, count(DISTINCT truth) AS n FROM lk_judged_links GROUP BY person_id) g"""
        )[0]
    )


def edge_truths(work: Workspace, *, edges: str) -> list[tuple[float, int, int]]:
    """(weight in whole bits, scored pairs of nodes, how many are true) by weight, highest first."""
    return [
        (float(bits), int(n), int(right or 0))
        for bits, n, right in work.rows(
            f"""SELECT least(40, floor(e.weight)) AS bits, count(*), sum(CASE WHEN x.truth = y.truth THEN 1 ELSE 0 END)
            FROM {edges} e JOIN lk_judged_links x ON x.assertion_id = e.l JOIN lk_judged_links y ON y.assertion_id = e.r
            GROUP BY least(40, floor(e.weight)) ORDER BY bits DESC"""
        )
    ]
