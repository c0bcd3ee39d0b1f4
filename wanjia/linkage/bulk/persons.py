"""From clusters to persons and links.

A person's id is the first 63 bits of SHA-256 over its founder's "source|record_key|subject". The founder is the record that arrived first
(lowest delivery, then key) of all the person's records: so an id depends only on which records there are, stays while
later records join, and comes back when a withdrawn delivery had moved it.
"""

from wanjia.linkage.adapters.workspace import Workspace
from wanjia.linkage.declared import Linkage
from wanjia.linkage.rules.closing import SHARED_NUMBER

ARRIVAL_DIGITS = 18

FIRST_63_BITS = {
    "duckdb": "CAST(CAST(concat('0x', substr(sha256({text}), 1, 16)) AS UBIGINT) // 2 AS BIGINT)",
    "spark": "CAST(floor(CAST(conv(substr(sha2({text}, 256), 1, 16), 16, 10) AS DECIMAL(20, 0)) / 2) AS BIGINT)",
}


def make_links(work: Workspace, linkage: Linkage, model: str) -> None:
    """Make `lk_persons`, `lk_links` and `lk_review` from members, clusters and review pairs."""
    work.make(
        "lk_placed",
        """SELECT m.assertion_id, m.node_id, coalesce(c.cluster, m.node_id) AS cluster
        FROM lk_members m LEFT JOIN lk_clusters c ON m.node_id = c.node_id""",
    )
    founder = f"concat(lpad(CAST(a.arrival AS STRING), {ARRIVAL_DIGITS}, '0'), a.source, '|', a.record_key, '|', a.subject)"
    id_of = FIRST_63_BITS[work.kind].format(text=f"substr(founder, {ARRIVAL_DIGITS + 1})")
    work.make(
        "lk_persons",
        f"""SELECT cluster, {id_of} AS person_id, size FROM (
        SELECT p.cluster, min({founder}) AS founder, count(*) AS size
        FROM lk_placed p JOIN lk_assertions a ON a.assertion_id = p.assertion_id GROUP BY p.cluster) f""",
    )
    _make_review(work, linkage)
    # a numbered node draws others to it; only those that were drawn rest on a comparison
    work.make(
        "lk_joined",
        "SELECT c.node_id, c.probability, c.pattern, c.weight FROM lk_clusters c JOIN lk_nodes n ON c.node_id = n.node_id"
        " WHERE n.num IS NULL",
    )
    work.make(
        "lk_links",
        f"""SELECT p.assertion_id, s.person_id,
        CAST(coalesce(c.probability, 1.0) AS FLOAT) AS probability,
        CASE WHEN v.node_id IS NULL THEN 'link' ELSE 'review' END AS band,
        CASE WHEN s.size = 1 THEN 'alone' WHEN n.num IS NOT NULL THEN 'number' ELSE 'model' END AS method,
        c.pattern AS evidence, c.weight, '{model}' AS model
        FROM lk_placed p JOIN lk_persons s ON p.cluster = s.cluster JOIN lk_nodes n ON p.node_id = n.node_id
        LEFT JOIN lk_joined c ON p.node_id = c.node_id
        LEFT JOIN lk_open v ON p.node_id = v.node_id""",
    )


def _make_review(work: Workspace, linkage: Linkage) -> None:
    """Every shared number, then the likeliest pairs, as many as the declared share of persons allows."""
    work.make(
        "lk_shared",
        f"""SELECT least(x.node_id, y.node_id) AS l, greatest(x.node_id, y.node_id) AS r,
        CAST(0.5 AS FLOAT) AS probability, '{SHARED_NUMBER}' AS reason, CAST(NULL AS BIGINT) AS pattern
        FROM lk_nodes x JOIN lk_nodes y ON x.clash = y.clash WHERE x.num IS NOT NULL AND y.num IS NULL""",
    )
    persons = work.rows("SELECT count(*) FROM lk_persons")[0][0]
    shared = work.rows("SELECT count(*) FROM lk_shared")[0][0]
    room = max(0, int(persons * linkage.targets.review_share) - shared)
    work.make(
        "lk_review_nodes",
        f"""SELECT l, r, probability, reason, pattern FROM lk_shared UNION ALL
        SELECT l, r, probability, reason, pattern FROM (
        SELECT *, row_number() OVER (ORDER BY probability DESC, l, r) AS turn FROM lk_review_pairs) t WHERE turn <= {room}""",
    )
    work.make(
        "lk_review",
        """SELECT v.l, v.r, p.person_id AS person_l, q.person_id AS person_r, v.probability, v.reason, v.pattern
        FROM lk_review_nodes v
        LEFT JOIN lk_clusters c ON v.l = c.node_id JOIN lk_persons p ON p.cluster = coalesce(c.cluster, v.l)
        LEFT JOIN lk_clusters d ON v.r = d.node_id JOIN lk_persons q ON q.cluster = coalesce(d.cluster, v.r)
        WHERE p.person_id <> q.person_id""",
    )
    work.make(
        "lk_open",
        """SELECT DISTINCT n.node_id FROM lk_nodes n
        JOIN (SELECT l AS node_id FROM lk_review UNION SELECT r FROM lk_review) v ON n.node_id = v.node_id
        LEFT JOIN lk_clusters c ON n.node_id = c.node_id WHERE n.num IS NULL AND c.node_id IS NULL""",
    )
