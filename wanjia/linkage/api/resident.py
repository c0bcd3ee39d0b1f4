"""The fast lane: a handful of pushed rows linked against everything, from tables that stay in memory.

Same model, same rules and the same SQL as a whole run, over the few nodes that a row can touch: the groups of its number, nodes that
share a blocking key with them, and the clusters these hang on. What comes out is what a whole run would say of them. Which nodes these
are is looked up and not joined, so the engine only ever sees small tables and a push costs the same among a million persons.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from wanjia.kernel.engine import Engine
from wanjia.kernel.held import Held
from wanjia.kernel.lake import Lake
from wanjia.linkage.adapters.workspace import Workspace
from wanjia.linkage.api import state
from wanjia.linkage.api.clustering import OFFICERS, close_clusters
from wanjia.linkage.api.linking import reviewed
from wanjia.linkage.api.training import FLOOR_BITS
from wanjia.linkage.bulk import kinds, persons
from wanjia.linkage.bulk import nodes as node_tables
from wanjia.linkage.bulk import pairs as pair_tables
from wanjia.linkage.bulk.names import FEW, WHOLE
from wanjia.linkage.bulk.said import assertions_sql
from wanjia.linkage.declared import Linkage, SourceTrust
from wanjia.linkage.errors import NoLinks, TooManyForTheFastLane

MOST_ROWS = 500
#: a chain of resembling records longer than this many steps is followed no further at once; clusters are far smaller
MOST_STEPS = 30
#: what persons are made from, of an assertion
FOUNDING = ["assertion_id", "source", "record_key", "subject"]
#: the column that numbers rows which have no id
PLACE = "place"
#: what is kept of a member
MEMBER = ["assertion_id", "node_id", "arrival"]
#: what clusters are closed by, of a node
CLOSING = ["node_id", "source", "size", "uniq", "num", "clash"]


@dataclass(frozen=True)
class FewLinked:
    """What a push changed: links written anew (columns of the link table), assertions no longer linked, pairs for review."""

    links: pa.Table
    gone: list[int]
    review: pa.Table
    touched_nodes: int


class Resident:
    """The linkage of everything, held in memory. One at a time; not for several threads."""

    def __init__(self, work: Workspace, linkage: Linkage, trust: list[SourceTrust], trained: state.Trained) -> None:
        self._work, self._linkage, self._trust, self._trained = work, linkage, trust, trained
        self._kin = sorted({kinds.column(key) for f in linkage.features for key in f.via})
        self._told = [kinds.column(f.key) for f in linkage.features if f.via]
        self._blocks = [f"b{i}" for i in range(len(linkage.blocking))]
        self._assertions = Held(self._taken(WHOLE.assertions), "assertion_id", sought=["record_key", "num"])
        self._members = Held(self._taken(WHOLE.members, MEMBER), "assertion_id", sought=["node_id"])
        # nodes are a view over the bare ones, and so are taken before them
        self._nodes = Held(self._taken(WHOLE.nodes, CLOSING), "node_id", sought=["clash"])
        self._bare = Held(self._taken(WHOLE.bare), "node_id", sought=["num", *self._kin])
        work.engine.forget(node_tables.KIN)
        self._keyed = Held(self._taken(WHOLE.keyed), "node_id", sought=self._blocks)
        self._links = Held(self._taken(WHOLE.links), "assertion_id", sought=["person_id"])
        edges = self._taken(WHOLE.edges)
        self._edges = Held(_numbered(edges), PLACE, sought=["l", "r"])
        self._next_edge = edges.num_rows
        self._terms = {
            f.key: Held(_numbered(self._taken(f"lk_tf_{f.key}")), PLACE, sought=["term"])
            for f in linkage.features
            if f.rarity
        }

    def _taken(self, table: str, columns: list[str] | None = None) -> pa.Table:
        """Rows that the engine need not keep."""
        rows = self._work.arrow(f"SELECT {', '.join(columns or ['*'])} FROM {table}")
        self._work.drop(table)
        return rows

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
            assertions_sql(linkage, trust, set(assertions.columns), f"({compiled}) q"),
        )
        node_tables.make_nodes(work, linkage, trust, WHOLE)
        pair_tables.make_keyed(work, trained.model, nodes=WHOLE.nodes, keyed=WHOLE.keyed)
        work.put(WHOLE.edges, lake.read(state.EDGES))
        close_clusters(work, trained, compared=WHOLE.keyed)
        persons.make_links(work, WHOLE, trained.model.name)
        return cls(work, linkage, trust, trained)

    def link_few(self, assertions: pa.Table, *, withdrawn: list[int] | None = None) -> FewLinked:
        """Link 1 to 500 new assertions; those of the same source, key and subject supersede earlier ones. `withdrawn`: ids to forget.

        Raises `TooManyForTheFastLane`.
        """
        if assertions.num_rows > MOST_ROWS:
            raise TooManyForTheFastLane(limit=MOST_ROWS, count=assertions.num_rows)
        with self._work.engine.among_few():
            self._work.put("few_input", assertions)
            incoming = self._work.arrow(
                assertions_sql(self._linkage, self._trust, set(assertions.column_names), "few_input")
            )
            leaving = self._leaving(incoming, withdrawn or [])
            touched, replaced = self._regroup(incoming, leaving)
            reached = self._reached(self._rescore(touched, replaced))
            changed = self._close(reached, leaving)
            return FewLinked(
                links=changed,
                gone=sorted(leaving),
                review=self._work.arrow(reviewed(FEW)),
                touched_nodes=touched.num_rows,
            )

    def links(self) -> pa.Table:
        """Every link as it stands, by assertion: what a whole run would write."""
        return self._links.table().sort_by("assertion_id")

    def links_of(self, person_ids: Iterable[int]) -> pa.Table:
        """The links of these persons as they stand: assertion_id, person_id, probability, band."""
        found = self._links.find("person_id", pa.array(person_ids, pa.int64()))
        return self._links.rows(found, ["assertion_id", "person_id", "probability", "band"]).sort_by("assertion_id")

    def some_persons(self, count: int) -> list[int]:
        """The ids of up to `count` persons, for a rehearsal."""
        links = self._links.table()
        linked = links.filter(pc.equal(links["band"], "link"))["person_id"]
        return linked.unique().sort()[:count].to_pylist()

    def _leaving(self, incoming: pa.Table, withdrawn: list[int]) -> dict[int, str | None]:
        """The assertions that go, superseded or withdrawn, with their numbers."""
        known = ["source", "record_key", "subject"]
        told = set(zip(*(incoming[column].to_pylist() for column in known), strict=True))
        columns = ["assertion_id", "num", *known]
        older = self._assertions.rows(self._assertions.find("record_key", incoming["record_key"]), columns).to_pylist()
        gone = {row["assertion_id"]: row["num"] for row in older if tuple(row[column] for column in known) in told}
        return gone | {row["assertion_id"]: row["num"] for row in self._assertions.rows(withdrawn, columns).to_pylist()}

    def _regroup(self, incoming: pa.Table, leaving: dict[int, str | None]) -> tuple[pa.Table, np.ndarray]:
        """Rebuild the nodes of every touched number and lone record: (the nodes, ids of all that they take the place of)."""
        work, linkage = self._work, self._linkage
        numbers = {*incoming["num"].to_pylist(), *leaving.values()} - {None}
        asked = pa.array(sorted(numbers), pa.string())
        mates = self._assertions.rows(self._assertions.find("num", asked))
        mates = mates.filter(pc.is_in(mates["num"], asked))
        moved = {*mates["assertion_id"].to_pylist(), *leaving}
        old_nodes = self._members.rows(moved)["node_id"].unique().to_pylist()
        staying = mates.filter(pc.invert(pc.is_in(mates["assertion_id"], pa.array(leaving, pa.int64()))))
        grouped = pa.concat_tables([staying, incoming], promote_options="default")
        work.put(FEW.assertions, grouped)
        node_tables.make_bare_nodes(work, linkage, self._trust, FEW)
        members = work.arrow(f"SELECT {', '.join(MEMBER)} FROM {FEW.members}")
        bare = work.arrow(f"SELECT * FROM {FEW.bare}")
        reassigned = {*grouped["assertion_id"].to_pylist(), *leaving}
        self._assertions.replace(reassigned, grouped)
        self._members.replace(reassigned, members)
        self._bare.replace(old_nodes, bare)
        nodes = self._told_by_kin(bare, asked) if self._kin else bare
        replaced = np.union1d(nodes["node_id"].to_numpy(), np.array(old_nodes, np.int64))
        self._nodes.replace(replaced, nodes.select(CLOSING))
        return nodes, replaced

    def _told_by_kin(self, bare: pa.Table, numbers: pa.Array) -> pa.Table:
        """The nodes `bare`, and those that name one of `numbers` as their kin: it may tell them something else now."""
        naming = np.unique(np.concatenate([self._bare.find(column, numbers) for column in self._kin]))
        named = self._bare.rows(np.setdiff1d(naming, bare["node_id"].to_numpy()))
        bare = pa.concat_tables([named, bare.select(named.column_names)])
        self._work.put(FEW.bare, bare)
        asked = pa.chunked_array([chunk for column in self._kin for chunk in bare[column].chunks], pa.string())
        self._work.put("few_kin", self._bare.rows(self._bare.find("num", asked.unique()), ["num", *self._told]))
        return self._work.arrow(node_tables.via_kin_sql(self._linkage, bare=FEW.bare, everyone="few_kin"))

    def _rescore(self, touched: pa.Table, replaced: np.ndarray) -> np.ndarray:
        """Fresh keys and pairs of the nodes `touched`: the ids of these and of all that lost a pair."""
        work, model = self._work, self._trained.model
        work.put(FEW.nodes, touched)
        for feature, terms in self._terms.items():
            wanted = touched[kinds.column(feature)].unique()
            work.put(f"lk_tf_{feature}", terms.rows(terms.find("term", wanted), ["term", "share"]))
        pair_tables.make_keyed(work, model, nodes=FEW.nodes, keyed=FEW.keyed)
        keyed = work.arrow(f"SELECT * FROM {FEW.keyed}")
        self._keyed.replace(replaced, keyed)
        pairs = self._pairs(keyed)
        work.put(FEW.pairs, pairs)
        self._compare(np.concatenate([pairs["l"].to_numpy(), pairs["r"].to_numpy()]))
        sql = model.scoring_sql(
            left=FEW.compared, right=FEW.compared, pairs=FEW.pairs, floor=FLOOR_BITS, words=work.words
        )
        fresh = work.arrow(sql)
        lost = self._edges_at(replaced)
        self._edges.replace(lost[PLACE].to_numpy(), _numbered(fresh, self._next_edge))
        self._next_edge += fresh.num_rows
        unpaired = (lost[side].to_numpy() for side in ("l", "r"))
        return np.unique(np.concatenate([touched["node_id"].to_numpy(), *unpaired]))

    def _pairs(self, keyed: pa.Table) -> pa.Table:
        """All candidate pairs (l < r) that touch one of these keyed nodes, by the rules of `pair_tables.make_pairs`."""
        ids = keyed["node_id"].to_numpy()
        found = [self._keyed.matches(block, keyed[block]) for block in self._blocks]
        # a node shares its keys with itself too, so these are both sides of every pair
        met = self._keyed.rows(np.concatenate([others for _, others in found]), ["node_id", "num"])
        lone = met.filter(met["num"].is_null())["node_id"].to_numpy()
        pairs = [np.empty((0, 2), np.int64)]
        for rule, (places, others) in zip(self._linkage.blocking, found, strict=True):
            ones = ids[places]
            allowed = ones != others
            if rule.scope == "lone":
                allowed &= np.isin(ones, lone) | np.isin(others, lone)
            pairs.append(np.sort(np.stack([ones[allowed], others[allowed]], axis=1), axis=1))
        # a pair found by several rules is one pair
        both = np.unique(np.concatenate(pairs), axis=0)
        return pa.table({"l": both[:, 0], "r": both[:, 1]})

    def _compare(self, nodes: np.ndarray) -> None:
        """Make `few_compared`: what these nodes are compared by."""
        columns = [name for name in self._keyed.columns if name not in self._blocks]
        self._work.put(FEW.compared, self._keyed.rows(nodes, columns))

    def _edges_at(self, nodes: np.ndarray) -> pa.Table:
        """The scored pairs of which one of these nodes is a side."""
        asked = pa.array(nodes, pa.int64())
        return self._edges.rows(np.concatenate([self._edges.find(side, asked) for side in ("l", "r")]))

    def _reached(self, start: np.ndarray) -> np.ndarray:
        """These nodes, as far as there are such, and everything they hang on.

        Persons under one number hang together though nothing pairs them: their case for review needs both.
        """
        fresh = reached = np.sort(self._nodes.rows(start, ["node_id"])["node_id"].to_numpy())
        for _ in range(MOST_STEPS):
            edges = self._edges_at(fresh)
            sharing = self._nodes.find("clash", self._nodes.rows(fresh, ["clash"])["clash"])
            found = np.concatenate([edges["l"].to_numpy(), edges["r"].to_numpy(), sharing])
            fresh = np.setdiff1d(found, reached)
            if not len(fresh):
                break
            reached = np.union1d(reached, fresh)
        return reached

    def _close(self, reached: np.ndarray, leaving: dict[int, str | None]) -> pa.Table:
        """Cluster the nodes `reached` anew and take over their links; those of the links that are not as they were."""
        work, asked = self._work, pa.array(reached, pa.int64())
        members = self._members.rows(self._members.find("node_id", asked))
        work.put(FEW.edges, self._edges.rows(self._edges.find("l", asked), ["l", "r", "weight", "pattern"]))
        work.put(FEW.nodes, self._nodes.rows(reached))
        work.put(FEW.members, members)
        work.put(FEW.assertions, self._assertions.rows(members["assertion_id"].to_numpy(), FOUNDING))
        self._compare(reached)
        close_clusters(work, self._trained, FEW, compared=FEW.compared)
        persons.make_links(work, FEW, self._trained.model.name)
        persons.make_records(work, FEW)
        links = work.arrow(f"SELECT * FROM {FEW.links}")
        ids = links["assertion_id"].to_numpy()
        work.put("few_before", self._links.rows(ids))
        changed = work.arrow(
            f"""SELECT f.* FROM {FEW.links} f LEFT JOIN few_before w ON f.assertion_id = w.assertion_id
            WHERE w.assertion_id IS NULL OR f.person_id <> w.person_id OR f.probability <> w.probability
            OR f.band <> w.band OR f.method <> w.method OR coalesce(f.evidence, -1) <> coalesce(w.evidence, -1)
            ORDER BY f.assertion_id"""
        )
        self._links.replace(np.union1d(ids, np.fromiter(leaving, np.int64)), links)
        return changed


def _numbered(rows: pa.Table, start: int = 0) -> pa.Table:
    """The rows with a number of their own, from `start`."""
    return rows.append_column(PLACE, pa.array(np.arange(start, start + rows.num_rows), pa.int64()))
