"""The fast lane: a handful of pushed rows linked against everything, from tables that stay in memory.

Same model, same rules and the same SQL as a whole run, over the few nodes that a row can touch: the groups of its number, nodes that
share a blocking key with them, and the clusters these hang on. What comes out is what a whole run would say of them.
"""

from dataclasses import dataclass
from functools import cached_property

import pyarrow as pa

from wanjia.kernel.engine import Engine
from wanjia.kernel.held import Held
from wanjia.kernel.lake import Lake
from wanjia.linkage.adapters.workspace import Workspace
from wanjia.linkage.api import state
from wanjia.linkage.api.linking import OFFICERS, close_clusters, reviewed
from wanjia.linkage.api.training import FLOOR_BITS
from wanjia.linkage.bulk import kinds, persons
from wanjia.linkage.bulk import nodes as node_tables
from wanjia.linkage.bulk import pairs as pair_tables
from wanjia.linkage.bulk.names import FEW, WHOLE
from wanjia.linkage.declared import Linkage, SourceTrust
from wanjia.linkage.errors import NoLinks, TooManyForTheFastLane

MOST_ROWS = 500
#: a chain of resembling records longer than this many steps is followed no further at once; clusters are far smaller
MOST_STEPS = 30


@dataclass(frozen=True)
class FewLinked:
    """What a push changed: links written anew (columns of the link table), assertions no longer linked, pairs for review."""

    links: pa.Table
    gone: list[int]
    review: pa.Table
    touched_nodes: int


class Resident:
    """The linkage of everything, held in one engine's memory. One at a time; not for several threads."""

    def __init__(self, work: Workspace, linkage: Linkage, trust: list[SourceTrust], trained: state.Trained) -> None:
        self._work, self._linkage, self._trust, self._trained = work, linkage, trust, trained
        kin = {kinds.column(key) for f in linkage.features for key in f.via}
        told = {kinds.column(f.key) for f in linkage.features if f.via}
        blocks = [f"b{i}" for i in range(len(linkage.blocking))]
        # the engine keeps the columns by which rows are looked for; what they say is fetched by id
        self._sought = {
            WHOLE.assertions: ["assertion_id", "source", "record_key", "subject", "arrival", "num"],
            WHOLE.bare: ["node_id", "num", *sorted(kin | told)],
            WHOLE.nodes: ["node_id", "source", "size", "uniq", "num", "clash"],
            WHOLE.keyed: ["node_id", "num", *blocks],
        }
        self._assertions = Held(self._whole(WHOLE.assertions), "assertion_id")
        self._bare = Held(self._whole(WHOLE.bare), "node_id")
        self._keyed = Held(self._whole(WHOLE.keyed), "node_id")
        for table, columns in self._sought.items():
            work.make("few_narrow", f"SELECT {', '.join(columns)} FROM {table}")
            work.make(table, "SELECT * FROM few_narrow")
        work.drop("few_narrow")

    def _whole(self, table: str) -> pa.Table:
        return self._work.arrow(f"SELECT * FROM {table}")

    @classmethod
    def open(cls, engine: Engine, *, lake: Lake, linkage: Linkage, trust: list[SourceTrust], assertions) -> "Resident":
        """Load the active `assertions` (an Ibis table) with the model and scored pairs of the last run. Raises `NoModel`, `NoLinks`.

        The assertions must be those of the last run; push what came since.
        """
        if not lake.exists(state.EDGES):
            raise NoLinks
        work = Workspace(engine)
        trained = state.load_trained(lake, linkage)
        state.load_terms(lake, work, linkage)
        work.put(OFFICERS, state.decided(lake))
        compiled = engine.con.compile(assertions)
        work.make(
            WHOLE.assertions,
            node_tables.assertions_sql(linkage, trust, set(assertions.columns), f"({compiled}) q"),
        )
        node_tables.make_nodes(work, linkage, trust, WHOLE)
        pair_tables.make_keyed(work, trained.model, nodes=WHOLE.nodes, keyed=WHOLE.keyed)
        work.put(WHOLE.edges, lake.read(state.EDGES))
        close_clusters(work, trained)
        persons.make_links(work, WHOLE, trained.model.name)
        return cls(work, linkage, trust, trained)

    def link_few(self, assertions: pa.Table, *, withdrawn: list[int] | None = None) -> FewLinked:
        """Link 1 to 500 new assertions; those of the same source, key and subject supersede earlier ones. `withdrawn`: ids to forget.

        Raises `TooManyForTheFastLane`.
        """
        if assertions.num_rows > MOST_ROWS:
            raise TooManyForTheFastLane(limit=MOST_ROWS, count=assertions.num_rows)
        work = self._work
        work.put("few_input", assertions)
        sql = node_tables.assertions_sql(self._linkage, self._trust, set(assertions.column_names), "few_input")
        work.make("few_incoming", sql)
        gone = self._leaving(withdrawn or [])
        self._regroup()
        self._rescore()
        self._reach()
        self._work.make(FEW.edges, f"SELECT e.* FROM {WHOLE.edges} e JOIN few_reached x ON e.l = x.node_id")
        for part in ("nodes", "members"):
            work.make(
                getattr(FEW, part),
                f"SELECT t.* FROM {getattr(WHOLE, part)} t JOIN few_reached x ON t.node_id = x.node_id",
            )
        work.make(
            FEW.assertions,
            f"SELECT a.* FROM {WHOLE.assertions} a JOIN {FEW.members} m ON a.assertion_id = m.assertion_id",
        )
        self._fetch(self._keyed, "few_reached", FEW.compared)
        close_clusters(work, self._trained, FEW, keyed=FEW.compared)
        persons.make_links(work, FEW, self._trained.model.name)
        persons.make_records(work, FEW)
        work.make("few_reclustered", "SELECT node_id FROM few_reached UNION SELECT node_id FROM few_replaced")
        work.replace(WHOLE.clusters, FEW.clusters, key="node_id", gone="few_reclustered")
        changed = work.arrow(
            f"""SELECT f.* FROM {FEW.links} f LEFT JOIN {WHOLE.links} w ON f.assertion_id = w.assertion_id
            WHERE w.assertion_id IS NULL OR f.person_id <> w.person_id OR f.probability <> w.probability
            OR f.band <> w.band OR f.method <> w.method OR coalesce(f.evidence, -1) <> coalesce(w.evidence, -1)
            ORDER BY f.assertion_id"""
        )
        work.make("few_relinked", f"SELECT assertion_id FROM {FEW.links} UNION SELECT assertion_id FROM few_leaving")
        work.replace(WHOLE.links, FEW.links, key="assertion_id", gone="few_relinked")
        touched = work.rows("SELECT count(*) FROM few_touched")[0][0]
        return FewLinked(
            links=changed,
            gone=gone,
            review=work.arrow(reviewed(FEW)),
            touched_nodes=touched,
        )

    def links_of(self, person_ids: list[int]) -> pa.Table:
        """The links of these persons as they stand: assertion_id, person_id, probability, band."""
        self._work.put("few_asked", pa.table({"person_id": pa.array(person_ids, pa.int64())}))
        return self._work.arrow(
            f"""SELECT w.assertion_id, w.person_id, w.probability, w.band FROM {WHOLE.links} w
            WHERE w.person_id IN (SELECT person_id FROM few_asked) ORDER BY w.assertion_id"""
        )

    def some_persons(self, count: int) -> list[int]:
        """The ids of up to `count` persons, for a rehearsal."""
        return [
            int(person)
            for (person,) in self._work.rows(
                f"SELECT DISTINCT person_id FROM {WHOLE.links} WHERE band = 'link' ORDER BY person_id LIMIT {count}"
            )
        ]

    def _leaving(self, withdrawn: list[int]) -> list[int]:
        """`few_leaving`: assertions that go; superseded ones and the withdrawn."""
        work = self._work
        work.put("few_withdrawn", pa.table({"assertion_id": pa.array(withdrawn, pa.int64())}))
        # step by step, each a join with a tiny table: one statement with all of it would read every record several times over
        work.make("few_keys", "SELECT DISTINCT record_key, source, subject FROM few_incoming")
        work.make(
            "few_gone",
            f"""SELECT a.assertion_id, a.num FROM {WHOLE.assertions} a JOIN few_keys k
            ON a.record_key = k.record_key AND a.source = k.source AND a.subject = k.subject
            UNION SELECT a.assertion_id, a.num FROM {WHOLE.assertions} a JOIN few_withdrawn w ON a.assertion_id = w.assertion_id""",
        )
        work.make(
            "few_leaving",
            f"SELECT g.assertion_id, g.num, m.node_id FROM {WHOLE.members} m JOIN few_gone g ON m.assertion_id = g.assertion_id",
        )
        return [int(i) for (i,) in work.rows("SELECT assertion_id FROM few_leaving ORDER BY assertion_id")]

    def _regroup(self) -> None:
        """Rebuild the nodes of every touched number and lone record; `few_touched` and `few_vanished` name them."""
        work, linkage = self._work, self._linkage
        work.make(
            "few_numbers",
            "SELECT num FROM few_incoming WHERE num IS NOT NULL UNION SELECT num FROM few_leaving WHERE num IS NOT NULL",
        )
        work.make(
            "few_mate_ids", f"SELECT a.assertion_id FROM {WHOLE.assertions} a JOIN few_numbers n ON a.num = n.num"
        )
        self._fetch(self._assertions, "few_mate_ids", "few_mates")
        work.make(
            FEW.assertions,
            """SELECT * FROM few_mates WHERE assertion_id NOT IN (SELECT assertion_id FROM few_leaving)
            UNION ALL SELECT * FROM few_incoming""",
        )
        work.make("few_moved", "SELECT assertion_id FROM few_mates UNION SELECT assertion_id FROM few_leaving")
        work.make(
            "few_old_nodes",
            f"SELECT DISTINCT m.node_id FROM {WHOLE.members} m JOIN few_moved o ON m.assertion_id = o.assertion_id",
        )
        node_tables.make_bare_nodes(work, linkage, self._trust, FEW)
        work.make(
            "few_reassigned",
            f"SELECT assertion_id FROM {FEW.assertions} UNION SELECT assertion_id FROM few_leaving",
        )
        self._exchange(
            WHOLE.assertions, FEW.assertions, key="assertion_id", gone="few_reassigned", held=self._assertions
        )
        work.replace(WHOLE.members, FEW.members, key="assertion_id", gone="few_reassigned")
        self._exchange(WHOLE.bare, FEW.bare, key="node_id", gone="few_old_nodes", held=self._bare)
        kin = sorted({kinds.column(key) for f in linkage.features for key in f.via})
        if kin:
            # a node that names a touched person as its kin may be told something else by it now
            naming = " UNION ".join(
                f"SELECT b.node_id FROM {WHOLE.bare} b JOIN few_numbers n ON b.{c} = n.num" for c in kin
            )
            work.make("few_naming", f"SELECT node_id FROM ({naming}) q EXCEPT SELECT node_id FROM {FEW.bare}")
            self._fetch(self._bare, "few_naming", "few_named")
            work.make("few_bare_all", f"SELECT * FROM few_named UNION ALL BY NAME SELECT * FROM {FEW.bare}")
            asked = " UNION ".join(f"SELECT {c} AS num FROM few_bare_all WHERE {c} IS NOT NULL" for c in kin)
            told = ", ".join(f"b.{kinds.column(f.key)}" for f in linkage.features if f.via)
            work.make("few_kin", f"SELECT b.num, {told} FROM {WHOLE.bare} b JOIN ({asked}) q ON b.num = q.num")
            work.make(FEW.nodes, node_tables.via_kin_sql(linkage, bare="few_bare_all", everyone="few_kin"))
        else:
            work.make(FEW.nodes, f"SELECT * FROM {FEW.bare}")
        work.make("few_touched", f"SELECT node_id FROM {FEW.nodes}")
        work.make("few_replaced", "SELECT node_id FROM few_touched UNION SELECT node_id FROM few_old_nodes")
        self._exchange(WHOLE.nodes, FEW.nodes, key="node_id", gone="few_replaced")

    def _rescore(self) -> None:
        """Fresh keys and pairs of the touched nodes; `few_unpaired` are nodes that lost or gained a pair."""
        work, model = self._work, self._trained.model
        pair_tables.make_keyed(work, model, nodes=FEW.nodes, keyed=FEW.keyed)
        self._exchange(WHOLE.keyed, FEW.keyed, key="node_id", gone="few_replaced", held=self._keyed)
        pair_tables.make_pairs(work, self._linkage, keyed=WHOLE.keyed, drivers="few_touched", pairs=FEW.pairs)
        work.make("few_met", f"SELECT l AS node_id FROM {FEW.pairs} UNION SELECT r FROM {FEW.pairs}")
        self._fetch(self._keyed, "few_met", FEW.compared)
        work.make("few_fresh_edges", self._scoring_sql)
        work.make(
            "few_unpaired",
            f"""SELECT l AS node_id, r AS other FROM {WHOLE.edges} WHERE l IN (SELECT node_id FROM few_replaced)
            OR r IN (SELECT node_id FROM few_replaced)""",
        )
        work.delete(WHOLE.edges, "l IN (SELECT node_id FROM few_replaced) OR r IN (SELECT node_id FROM few_replaced)")
        work.insert(WHOLE.edges, "few_fresh_edges")

    @cached_property
    def _scoring_sql(self) -> str:
        return self._trained.model.scoring_sql(
            left=FEW.compared, right=FEW.compared, pairs=FEW.pairs, floor=FLOOR_BITS, words=self._work.words
        )

    def _reach(self) -> None:
        """`few_reached`: touched nodes, those they were or are paired with, and everything these hang on.

        Persons under one number hang together though nothing pairs them: their case for review needs both.
        """
        work = self._work
        work.make("few_sharing", f"SELECT node_id, clash FROM {WHOLE.nodes} WHERE clash IS NOT NULL")
        work.make(
            "few_reached",
            f"""SELECT DISTINCT n.node_id FROM (SELECT node_id FROM few_touched UNION SELECT node_id FROM few_unpaired
            UNION SELECT other FROM few_unpaired) n WHERE n.node_id IN (SELECT node_id FROM {WHOLE.nodes})""",
        )
        before = -1
        for _ in range(MOST_STEPS):
            now = work.rows("SELECT count(*) FROM few_reached")[0][0]
            if now == before:
                break
            before = now
            work.make(
                "few_next",
                f"""SELECT node_id FROM few_reached UNION
                SELECT r FROM {WHOLE.edges} WHERE l IN (SELECT node_id FROM few_reached) UNION
                SELECT l FROM {WHOLE.edges} WHERE r IN (SELECT node_id FROM few_reached) UNION
                SELECT node_id FROM few_sharing WHERE clash IN (
                SELECT s.clash FROM few_sharing s JOIN few_reached x ON s.node_id = x.node_id)""",
            )
            work.make("few_reached", "SELECT * FROM few_next")

    def _fetch(self, held: Held, ids: str, name: str) -> None:
        """Make table `name`: the held rows whose ids stand in table `ids` (its first column)."""
        self._work.put(name, held.rows(one for (one,) in self._work.rows(f"SELECT * FROM {ids}")))

    def _exchange(self, table: str, rows: str, *, key: str, gone: str, held: Held | None = None) -> None:
        """Take the rows whose `key` stands in table `gone` out, and put those of table `rows` in."""
        work = self._work
        if held is not None:
            leaving = (one for (one,) in work.rows(f"SELECT {key} FROM {gone}"))
            held.replace(leaving, self._whole(rows))
        work.make("few_narrow", f"SELECT {', '.join(self._sought[table])} FROM {rows}")
        work.replace(table, "few_narrow", key=key, gone=gone)
