"""From clusters to persons and links.

A person's id is the first 63 bits of SHA-256 over its founder's "source|record_key|subject". The founder is the record that arrived first
(lowest delivery, then key) of all the person's records: so an id depends only on which records there are, stays while
later records join, and comes back when a withdrawn delivery had moved it.
"""

from wanjia.linkage.adapters.workspace import Workspace
from wanjia.linkage.bulk.names import Names
from wanjia.linkage.rules.closing import SHARED_NUMBER

FIRST_63_BITS = {
    "duckdb": "CAST(CAST(concat('0x', substr(sha256({text}), 1, 16)) AS UBIGINT) // 2 AS BIGINT)",
    "spark": "CAST(floor(CAST(conv(substr(sha2({text}, 256), 1, 16), 16, 10) AS DECIMAL(20, 0)) / 2) AS BIGINT)",
}


def founder_text(table: str) -> str:
    """What a person's id is made from: the founding record's own name, whatever delivery it came in."""
    return f"concat({table}.source, '|', {table}.record_key, '|', {table}.subject)"


def make_decided(work: Workspace, names: Names, officers: str, *, said: str | None = None) -> None:
    """Make `decided`: pairs of nodes of which an officer said whether they are one person, from the decisions about records in table `officers`.

    A decision stays with its records, whatever delivery states them anew; of several about one pair of nodes the last counts. `said`: where what
    records are called is, if not among the assertions (as below).
    """
    if not work.rows(f"SELECT count(*) FROM {officers}")[0][0]:
        # what everybody's records are known by is not asked for nothing
        work.make(names.decided, f"SELECT record_l AS l, record_r AS r, is_same FROM {officers}")
        return
    record = FIRST_63_BITS[work.kind].format(text=founder_text("a"))
    work.make(
        names.told,
        f"""SELECT t.node_id, t.record FROM (SELECT m.node_id, {record} AS record FROM {names.members} m
        JOIN {said or names.assertions} a ON a.assertion_id = m.assertion_id) t
        JOIN (SELECT record_l AS record FROM {officers} UNION SELECT record_r FROM {officers}) o ON o.record = t.record""",
    )
    work.make(
        names.decided,
        f"""SELECT least(x.node_id, y.node_id) AS l, greatest(x.node_id, y.node_id) AS r, max_by(o.is_same, o.number) AS is_same
        FROM {officers} o JOIN {names.told} x ON x.record = o.record_l JOIN {names.told} y ON y.record = o.record_r
        WHERE x.node_id <> y.node_id GROUP BY 1, 2""",
    )


def make_records(work: Workspace, names: Names, *, said: str | None = None) -> None:
    """Make `review_records`: assertion → what its record is known by in decisions, for the pairs that wait for an officer."""
    record = FIRST_63_BITS[work.kind].format(text=founder_text("a"))
    work.make(
        names.review_records,
        f"""SELECT a.assertion_id, {record} AS record FROM {said or names.assertions} a
        JOIN (SELECT l AS node_id FROM {names.review} UNION SELECT r FROM {names.review}) v ON v.node_id = a.assertion_id""",
    )


def make_links(work: Workspace, names: Names, model: str) -> None:
    """Make persons, review and links from members, clusters and review pairs."""
    make_persons(work, names)
    work.make(names.links, f"SELECT k.*, '{model}' AS model FROM ({links_sql(names)}) k")


def make_persons(work: Workspace, names: Names, *, said: str | None = None) -> None:
    """Make persons and review: what `links_sql` asks."""
    work.make(
        names.placed,
        f"""SELECT m.assertion_id, m.node_id, coalesce(c.cluster, m.node_id) AS cluster, m.arrival
        FROM {names.members} m LEFT JOIN {names.clusters} c ON m.node_id = c.node_id""",
    )
    # the first arrival is found by number; names are put together of those only, which are two fifths
    text = founder_text("a")
    work.make(
        names.persons,
        f"""SELECT cluster, {FIRST_63_BITS[work.kind].format(text="founder")} AS person_id, size FROM (
        SELECT f.cluster, min({text}) AS founder, max(f.size) AS size FROM (
        SELECT cluster, min(arrival) AS arrival, count(*) AS size FROM {names.placed} GROUP BY cluster) f
        JOIN {names.placed} p ON p.cluster = f.cluster AND p.arrival = f.arrival
        JOIN {said or names.assertions} a ON a.assertion_id = p.assertion_id GROUP BY f.cluster) g""",
    )
    _make_review(work, names)


def links_sql(names: Names) -> str:
    """SQL of the links, without the model's name, which is one and the same."""
    # a numbered node draws others to it; only those that were drawn rest on a comparison. Told of nodes, who are half as many as their records
    return f"""SELECT m.assertion_id, t.person_id, t.probability, t.band, t.method, t.evidence, t.weight FROM {names.members} m JOIN (
        SELECT n.node_id, s.person_id,
        CAST(CASE WHEN n.num IS NULL THEN coalesce(c.probability, 1.0) ELSE 1.0 END AS FLOAT) AS probability,
        CASE WHEN v.node_id IS NULL THEN 'link' ELSE 'review' END AS band,
        CASE WHEN s.size = 1 THEN 'alone'
        WHEN c.by_officer AND n.num IS NULL THEN 'officer' WHEN n.num IS NOT NULL OR (n.size > 1 AND c.node_id IS NULL) THEN 'number'
        WHEN c.node_id IS NULL THEN 'alone' ELSE 'model' END AS method,
        CASE WHEN n.num IS NULL AND c.pattern >= 0 THEN c.pattern END AS evidence,
        CASE WHEN n.num IS NULL AND c.pattern >= 0 THEN c.weight END AS weight
        FROM {names.nodes} n LEFT JOIN {names.clusters} c ON n.node_id = c.node_id
        JOIN {names.persons} s ON s.cluster = coalesce(c.cluster, n.node_id)
        LEFT JOIN {names.open_nodes} v ON n.node_id = v.node_id) t ON t.node_id = m.node_id"""


def _make_review(work: Workspace, names: Names) -> None:
    """Every pair of persons under one number, and the likely pairs of unlinked records."""
    work.make(
        names.review,
        f"""SELECT v.l, v.r, p.person_id AS person_l, q.person_id AS person_r, v.probability, v.reason, v.pattern, v.band FROM (
        SELECT l, r, probability, reason, pattern, band FROM {names.review_pairs}
        UNION ALL SELECT least(x.node_id, y.node_id) AS l, greatest(x.node_id, y.node_id) AS r,
        CAST(0.5 AS FLOAT) AS probability, '{SHARED_NUMBER}' AS reason, CAST(NULL AS BIGINT) AS pattern, '' AS band
        FROM {names.nodes} x JOIN {names.nodes} y ON x.clash = y.clash
        WHERE x.clash IS NOT NULL AND x.num IS NOT NULL AND y.num IS NULL) v
        LEFT JOIN {names.clusters} c ON v.l = c.node_id JOIN {names.persons} p ON p.cluster = coalesce(c.cluster, v.l)
        LEFT JOIN {names.clusters} d ON v.r = d.node_id JOIN {names.persons} q ON q.cluster = coalesce(d.cluster, v.r)
        LEFT JOIN {names.decided} o ON o.l = v.l AND o.r = v.r
        WHERE p.person_id <> q.person_id AND o.l IS NULL""",
    )
    work.make(
        names.open_nodes,
        f"""SELECT DISTINCT n.node_id FROM {names.nodes} n
        JOIN (SELECT l AS node_id FROM {names.review} UNION SELECT r FROM {names.review}) v ON n.node_id = v.node_id
        LEFT JOIN {names.clusters} c ON n.node_id = c.node_id WHERE n.num IS NULL AND c.node_id IS NULL""",
    )
