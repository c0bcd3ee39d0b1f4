"""Scoring links against truth: pairwise precision, recall and F1, the threshold curve, per pair of sources and per fault."""

from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet

from wanjia.kernel.engine import Engine
from wanjia.kernel.lake import Lake
from wanjia.linkage.adapters.workspace import Workspace
from wanjia.linkage.api import state
from wanjia.linkage.bulk import scores
from wanjia.linkage.errors import NoLinks, UnreadableTruth

TRUTH_COLUMNS = ("source", "record_key", "person")


@dataclass(frozen=True)
class Figures:
    """How many pairs of records there were, were found, and were found rightly."""

    hit: float
    found: float
    there: float

    @property
    def precision(self) -> float:
        """Share of found pairs that are right."""
        return self.hit / self.found if self.found else 1.0

    @property
    def recall(self) -> float:
        """Share of true pairs that were found."""
        return self.hit / self.there if self.there else 1.0

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        return 2 * self.hit / (self.found + self.there) if self.found + self.there else 1.0

    def as_row(self) -> dict[str, float]:
        """For printing and JSON."""
        return {
            "precision": self.precision,
            "recall": self.recall,
            "f1": self.f1,
            "wrong": self.found - self.hit,
            "missed": self.there - self.hit,
            "pairs": self.there,
        }


@dataclass(frozen=True)
class Score:
    """All that `wanjia linkage score` prints."""

    whole: Figures
    records: int
    persons: int
    true_persons: int
    fused_persons: int
    review: int
    review_share: float
    review_true: int
    by_source_pair: dict[str, Figures]
    by_fault: dict[str, tuple[int, Figures]]
    curve: list[dict[str, float]]

    def as_json(self) -> dict[str, object]:
        """A JSON-ready mapping."""
        return {
            **self.whole.as_row(),
            "records": self.records,
            "persons": self.persons,
            "true_persons": self.true_persons,
            "fused_persons": self.fused_persons,
            "review": self.review,
            "review_share": self.review_share,
            "review_true": self.review_true,
            "by_source_pair": {k: f.as_row() for k, f in self.by_source_pair.items()},
            "by_fault": {k: {"records": n, **f.as_row()} for k, (n, f) in self.by_fault.items()},
            "curve": self.curve,
        }


def score(engine: Engine, *, lake: Lake, truth: Path) -> Score:
    """Score the links in force against a truth file (CSV or Parquet). Raises `NoLinks`, `UnreadableTruth`."""
    if not lake.exists(state.LINKS):
        raise NoLinks
    table, faults = read_truth(truth)
    work = Workspace(engine)
    work.put("lk_truth", table)
    work.put("lk_links_scored", lake.read(state.LINKS).select(["assertion_id", "person_id", "band", "probability"]))
    work.put("lk_keys", lake.read(state.KEYS))
    scores.make_judged(work, keys="lk_keys", links="lk_links_scored", truth="lk_truth")
    persons, true_persons, fused = scores.persons_fused(work)
    by_fault = {}
    if faults is not None:
        work.put("lk_truth_faults", faults)
        work.make(
            "lk_faults",
            """SELECT DISTINCT k.assertion_id, f.fault FROM lk_truth_faults f JOIN lk_keys k
            ON f.source = k.source AND f.record_key = k.record_key AND f.subject = k.subject""",
        )
        by_fault = {f: (n, Figures(h, p, t)) for f, n, h, p, t in scores.by_fault(work, faults="lk_faults")}
    work.put("lk_review_scored", lake.read(state.REVIEW).select(["l", "r"]))
    review, right = work.rows(
        """SELECT count(*), coalesce(sum(CASE WHEN x.truth = y.truth THEN 1 ELSE 0 END), 0) FROM lk_review_scored v
        LEFT JOIN lk_judged_links x ON x.assertion_id = v.l LEFT JOIN lk_judged_links y ON y.assertion_id = v.r"""
    )[0]
    return Score(
        whole=Figures(*scores.whole(work)),
        records=work.rows("SELECT count(*) FROM lk_judged_links")[0][0],
        persons=persons,
        true_persons=true_persons,
        fused_persons=fused,
        review=int(review),
        review_share=int(review) / max(persons, 1),
        review_true=int(right),
        by_source_pair={f"{a}|{b}": Figures(h, p, t) for a, b, h, p, t in scores.by_source_pair(work)},
        by_fault=by_fault,
        curve=_curve(work, lake),
    )


def read_truth(path: Path) -> tuple[pa.Table, pa.Table | None]:
    """(source, record_key, subject, person), and (source, record_key, subject, fault) where the file tells faults."""
    try:
        table = pa.parquet.read_table(path) if path.suffix == ".parquet" else pa.csv.read_csv(path)
    except (OSError, pa.ArrowInvalid) as wrong:
        raise UnreadableTruth(file=path.name, reason=type(wrong).__name__) from None
    missing = [c for c in TRUTH_COLUMNS if c not in table.column_names]
    if missing:
        raise UnreadableTruth(file=path.name, reason=f"no column {', '.join(missing)}")
    if "subject" not in table.column_names:
        table = table.append_column("subject", pa.array(["self"] * table.num_rows))
    # a row that names nobody has no true person
    table = table.filter(pc.is_valid(table.column("person")))
    keys = ["source", "record_key", "subject"]
    truth = pa.table({c: table.column(c).cast(pa.string()) for c in [*keys, "person"]})
    truth = truth.group_by(keys).aggregate([("person", "min")]).rename_columns([*keys, "person"])
    column = next((c for c in ("faults", "fault") if c in table.column_names), None)
    return truth, _faults(table, column) if column else None


def _faults(table: pa.Table, column: str) -> pa.Table:
    told = table.column(column).combine_chunks()
    if not pa.types.is_list(told.type):
        told = pc.split_pattern(pc.fill_null(told.cast(pa.string()), ""), " ")
    at = pc.list_parent_indices(told)
    fault = pc.list_flatten(told).cast(pa.string())
    found = {
        c: table.column(c).combine_chunks().cast(pa.string()).take(at) for c in ("source", "record_key", "subject")
    }
    faults = pa.table({**found, "fault": fault})
    return faults.filter(pc.not_equal(faults.column("fault"), ""))


def _curve(work: Workspace, lake: Lake) -> list[dict[str, float]]:
    """True precision of all scored pairs of nodes at and above each weight, and how many true ones lie there."""
    work.put("lk_edges_scored", lake.read(state.EDGES).select(["l", "r", "weight"]))
    points = []
    pairs = right = 0
    told = scores.edge_truths(work, edges="lk_edges_scored")
    every = sum(r for _, _, r in told) or 1
    for bits, n, r in told:
        pairs, right = pairs + n, right + r
        points.append({"weight": bits, "pairs": pairs, "precision": right / pairs, "recall": right / every})
    return points
