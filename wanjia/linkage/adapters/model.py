"""The Splink model: comparisons from the declared features, training, and the SQL that scores pairs.

Splink learns and writes the scoring SQL; which pairs are scored, the frequency of values and the levels' labels are ours. A model
is a value: with the same model every engine, and every later run, gives a pair the same weight.
"""

import json
import math
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from wanjia.linkage.bulk import kinds
from wanjia.linkage.declared import Linkage

#: decimals of a weight: engines add logarithms with other last digits, and a threshold is the weight of a pair seen before
WEIGHT_DECIMALS = 9
#: shares of a level are never believed to be below this: one unseen pair in a sample proves no impossibility
LEAST_SHARE = 1e-7


@dataclass
class Model:
    """Everything needed to score a pair. `m` and `u` are the shares of each level (index 0 = disagreement) among true and random pairs."""

    linkage: Linkage
    prior: float  # probability that two random nodes are one person
    m: dict[str, list[float]]
    u: dict[str, list[float]]
    rarest: dict[str, float] = field(default_factory=dict)
    stopped: dict[str, list[str]] = field(default_factory=dict)
    name: str = ""
    # Splink takes longer to write a statement than the engine to score a few pairs by it
    _written: dict[tuple, str] = field(default_factory=dict, init=False, repr=False, compare=False)

    def settings(self, words: dict[str, str], dialect: str) -> dict[str, Any]:
        """The Splink settings with the learned shares; features without them are left out of the sum."""
        comparisons = []
        for feature in self.linkage.features:
            if feature.key in self.m and feature.key in self.u:
                comparisons.append(comparison(feature, words, self.m[feature.key], self.u[feature.key]))
        return {
            "link_type": "dedupe_only",
            "unique_id_column_name": "node_id",
            "comparisons": comparisons,
            "blocking_rules_to_generate_predictions": [],
            "probability_two_random_records_match": self.prior,
            "retain_intermediate_calculation_columns": False,
            "retain_matching_columns": False,
        }

    def disagreeing(self, term: str) -> set[int]:
        """Levels that count as disagreement on a term of a contradiction; with "~" every level that is not as good as equal."""
        key = term.rstrip("~")
        listed = kinds.levels(self.linkage.feature(key), {"damerau": "", "alike": "", "hash64": ""})
        vague = term.endswith("~")
        return {0} | {
            len(listed) - i
            for i, level in enumerate(listed)
            if level.disagrees or (vague and not (level.is_exact or level.is_same))
        }

    @cached_property
    def compared(self) -> list[str]:
        """Keys of the features that take part, in the order of the packed pattern."""
        return [f.key for f in self.linkage.features if f.key in self.m and f.key in self.u]

    def scoring_sql(self, *, left: str, right: str, pairs: str, floor: float, words: dict[str, str]) -> str:
        """SQL that scores the rows of `pairs` (l, r) and keeps weights of at least `floor`."""
        asked = (left, right, pairs, floor, words["hash64"])
        if asked not in self._written:
            self._written[asked] = self._write_scoring_sql(
                left=left, right=right, pairs=pairs, floor=floor, words=words
            )
        return self._written[asked]

    def _write_scoring_sql(self, *, left: str, right: str, pairs: str, floor: float, words: dict[str, str]) -> str:
        from splink.internals.predict import _combine_prior_and_mws
        from splink.internals.settings_creator import SettingsCreator

        dialect = "duckdb" if words["hash64"] == "hash" else "spark"
        settings = SettingsCreator.from_path_or_dict(self.settings(words, dialect)).get_settings(dialect)
        core = settings.core_model_settings
        needed = [c for c in settings._columns_to_select_for_blocking if "node_id" not in c]
        gammas = [c._case_statement for c in core.comparisons]
        frequencies = sorted(
            {name for c in core.comparisons for col in c._tf_adjustment_input_columns for name in col.tf_name_l_r}
        )
        weights = []
        for c in core.comparisons:
            by_level = " ".join(level._match_weight_sql(c._gamma_column_name) for level in c.comparison_levels)
            weights.append(f"CASE {by_level} END")
            if c._has_tf_adjustments:
                rare = " ".join(
                    level._tf_adjustment_sql(c._gamma_column_name, c.comparison_levels) for level in c.comparison_levels
                )
                weights.append(f"CASE {rare} END")
        weight, _ = _combine_prior_and_mws(self.prior, [f"({w})" for w in weights], None)
        # Spark has no float8, DuckDB knows both names
        weight, gammas = weight.replace("float8", "double"), [g.replace("float8", "double") for g in gammas]
        pattern = " + ".join(
            f"CAST({c._gamma_column_name} + 1 AS BIGINT) * {16**i}" for i, c in enumerate(core.comparisons)
        )
        return f"""SELECT l, r, weight, pattern FROM (SELECT l, r, round({weight}, {WEIGHT_DECIMALS}) AS weight, {pattern} AS pattern FROM (
            SELECT l, r, {", ".join(gammas + frequencies)} FROM (
            SELECT p.l, p.r, {", ".join(needed)} FROM {pairs} p JOIN {left} l ON l.node_id = p.l
            JOIN {right} r ON r.node_id = p.r) blocked) compared) scored WHERE weight >= {floor!r}"""

    def levels_of(self, pattern: int) -> dict[str, int]:
        """Packed pattern → level per feature; -1 means one side was empty."""
        return {key: (pattern >> (4 * i) & 15) - 1 for i, key in enumerate(self.compared)}

    def weight_of(self, key: str, level: int) -> float:
        """log2 of m/u of one level: what it adds to the weight of a pair; 0 for a missing value."""
        if level < 0:
            return 0.0
        return math.log2(max(self.m[key][level], LEAST_SHARE) / max(self.u[key][level], LEAST_SHARE))

    def to_json(self) -> str:
        """Everything but the declarations and the frequency tables."""
        kept = {k: getattr(self, k) for k in ("prior", "m", "u", "rarest", "stopped", "name")}
        return json.dumps(kept, ensure_ascii=False, sort_keys=True)

    @classmethod
    def from_json(cls, text: str, linkage: Linkage) -> "Model":
        """The model that `to_json` wrote."""
        return cls(linkage=linkage, **json.loads(text))


def comparison(feature: Any, words: dict[str, str], m: list[float] | None, u: list[float] | None) -> dict[str, Any]:
    """One feature as a Splink comparison. Shares run from disagreement upwards, as Splink's comparison vectors do."""
    c = kinds.column(feature.key)
    listed = kinds.levels(feature, words)
    top = len(listed)
    found: list[dict[str, Any]] = [
        {
            "sql_condition": kinds.is_missing(feature),
            "label_for_charts": "missing",
            "is_null_level": True,
        }
    ]
    for i, level in enumerate([*listed, None]):
        vector = top - i
        said: dict[str, Any] = {
            "sql_condition": level.sql if level else "ELSE",
            "label_for_charts": level.en if level else "disagree",
        }
        if level is not None and level.is_exact and feature.rarity:
            said["tf_adjustment_column"] = c
            said["tf_adjustment_weight"] = 1.0
        if m is not None:
            said["m_probability"] = max(m[vector], LEAST_SHARE)
        if u is not None:
            said["u_probability"] = max(u[vector], LEAST_SHARE)
        found.append(said)
    return {"output_column_name": feature.key, "comparison_levels": found}
