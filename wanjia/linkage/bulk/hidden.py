"""Records whose number is hidden on purpose: how linking is taught and checked without any truth.

Of a seeded sample of sound numbers one record each is taken out of its group and stripped of its number; the rest of the group stays. Where
the model leads such a record is then known to be right or wrong, by the number that was hidden. Records alone under their
number have no rest: for them every link is wrong, as it is for a real record whose person nobody else knows.

| table | one row | columns |
|---|---|---|
| lk_hidden | hidden record as a node | as lk_nodes; node_id = -1 - assertion_id; home (its real node), home_size |
| lk_sampled | node they were taken out of | home, home_size |
| lk_rest | rest of such a node, that takes its place | as lk_nodes |
"""

from wanjia.linkage.adapters.workspace import Workspace
from wanjia.linkage.bulk import kinds
from wanjia.linkage.bulk.nodes import SEED, filled_up, more_sql, number_features, via_kin_sql
from wanjia.linkage.bulk.said import feature_columns, told_by
from wanjia.linkage.declared import Linkage


def sampling_key(work: Workspace) -> str:
    """SQL over `lk_digests` of a number that picks nodes by what they say, never by their ids: these depend on which deliveries came before.

    It is the same number on every engine, so that a model does not depend on who taught it.
    """
    return work.number_of("digest")


def make_hidden(work: Workspace, linkage: Linkage, *, said: str, members: str, nodes: str, wanted: int) -> int:
    """Make `lk_hidden`, `lk_sampled` and `lk_rest` with about `wanted` hidden records; returns how many there are."""
    features = feature_columns(linkage)
    hidden_columns = {kinds.column(k) for k in number_features(linkage)}
    numbered = work.rows(f"SELECT count(*) FROM {nodes} WHERE num IS NOT NULL AND clash IS NULL")[0][0]
    if not numbered:
        return 0
    every = max(1, numbered // wanted)
    work.make(
        "lk_sampled",
        f"""SELECT node_id AS home, size AS home_size FROM {nodes}
        WHERE num IS NOT NULL AND clash IS NULL AND {work.drawn(f"concat(num, '{SEED}')")} % {every} = 0""",
    )
    turn = work.drawn(f"concat(a.source, '|', coalesce(a.record_key, ''), '|', a.subject, '{SEED}')")
    work.make(
        "lk_sampled_ids",
        f"SELECT s.home, s.home_size, m.assertion_id FROM lk_sampled s JOIN {members} m ON m.node_id = s.home",
    )
    work.make("lk_sampled_said", f"SELECT * FROM {told_by(said, 'lk_sampled_ids', 'home', 'home_size')} s")
    turn = work.drawn(f"concat(source, '|', coalesce(record_key, ''), '|', subject, '{SEED}')")
    work.make(
        "lk_sampled_members",
        f"""SELECT home, assertion_id, ord, uniq, filled, row_number() OVER (PARTITION BY home
        ORDER BY {turn}, assertion_id) AS turn FROM lk_sampled_said""",
    )
    shown = ", ".join(f"CAST(NULL AS STRING) AS {c}" if c in hidden_columns else f"a.{c}" for c in features)
    work.make(
        "lk_hidden_bare",
        f"""SELECT -1 - a.assertion_id AS node_id, a.source, CAST(1 AS BIGINT) AS size, CAST(0 AS BIGINT) AS uniq,
        CAST(NULL AS STRING) AS num, CAST(NULL AS STRING) AS clash, {shown}, a.home, a.home_size, a.num AS hidden_num
        FROM lk_sampled_said a JOIN (SELECT assertion_id FROM lk_sampled_members WHERE turn = 1) s
        ON a.assertion_id = s.assertion_id""",
    )
    told = via_kin_sql(linkage, bare="lk_hidden_bare", everyone=nodes)
    work.make(
        "lk_hidden",
        f"""SELECT t.*, b.home, b.home_size, b.hidden_num FROM ({told}) t
        JOIN lk_hidden_bare b ON t.node_id = b.node_id""",
    )
    work.make(
        "lk_rest_members",
        "SELECT assertion_id, home AS node_id, ord, uniq, filled FROM lk_sampled_members WHERE turn > 1",
    )
    work.make(
        "lk_rest_heads",
        """SELECT node_id, min_by(assertion_id, ord) AS head, min_by(filled, ord) AS filled, count(*) AS size, bit_or(uniq) AS uniq
        FROM lk_rest_members GROUP BY node_id""",
    )
    heads = "SELECT node_id, filled FROM lk_rest_heads"
    work.make("lk_rest_more", more_sql(features, said="lk_sampled_said", members="lk_rest_members", heads=heads))
    listed = ", ".join(f"{told} AS {c}" for c, told in filled_up(features).items())
    work.make(
        "lk_rest_bare",
        f"""SELECT h.node_id, s.source, h.size, h.uniq, s.num, CAST(NULL AS STRING) AS clash, {listed} FROM lk_sampled_said s
        JOIN lk_rest_heads h ON h.head = s.assertion_id LEFT JOIN lk_rest_more m ON m.node_id = h.node_id""",
    )
    work.make("lk_rest", via_kin_sql(linkage, bare="lk_rest_bare", everyone=nodes))
    return work.rows("SELECT count(*) FROM lk_hidden")[0][0]
