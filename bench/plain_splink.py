"""The reference: Splink 5 as its own tutorials use it, on the same records, in a process of its own.

    python -m bench.plain_splink RECORDS.parquet [TRUTH.parquet]

RECORDS holds: unique_id, number, name, surname, given, birth_on (text), sex, division, address. Prints one JSON line: seconds of its
own work (reading, training, predicting, clustering), peak memory, pairs, and precision/recall at 0.95 when the truth is given.
"""

import json
import resource
import sys
import time
import warnings
from pathlib import Path

import duckdb


def main(records: Path, truth: Path | None) -> None:
    warnings.filterwarnings("ignore")
    import splink.comparison_library as cl
    from splink import DuckDBAPI, Linker, SettingsCreator, block_on

    began = time.perf_counter()
    connection = duckdb.connect()
    connection.execute(f"CREATE TABLE records AS SELECT * FROM read_parquet('{records}')")
    api = DuckDBAPI(connection=connection)
    settings = SettingsCreator(
        link_type="dedupe_only",
        comparisons=[
            cl.LevenshteinAtThresholds("number", [1, 2]),
            cl.JaroWinklerAtThresholds("name", [0.9, 0.7]).configure(term_frequency_adjustments=True),
            cl.DateOfBirthComparison("birth_on", input_is_string=True),
            cl.ExactMatch("sex"),
            cl.ExactMatch("division"),
            cl.LevenshteinAtThresholds("address", [2, 5]),
        ],
        blocking_rules_to_generate_predictions=[
            block_on("number"),
            block_on("name", "birth_on"),
            block_on("birth_on", "division"),
            block_on("name", "address"),
        ],
        retain_intermediate_calculation_columns=False,
        retain_matching_columns=False,
    )
    linker = Linker(api.register("records"), settings)
    linker.training.estimate_probability_two_random_records_match([block_on("number")], recall=0.8)
    linker.training.estimate_u_using_random_sampling(max_pairs=1e6, seed=1)
    for rule in (block_on("number"), block_on("name", "birth_on")):
        linker.training.estimate_parameters_using_expectation_maximisation(rule)
    predictions = linker.inference.predict(threshold_match_probability=0.05)
    clusters = linker.clustering.cluster_pairwise_predictions_at_threshold(predictions, 0.95)
    seconds = time.perf_counter() - began
    found = {
        "seconds": round(seconds, 2),
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "rows": connection.execute("SELECT count(*) FROM records").fetchone()[0],
        "pairs": connection.execute(f"SELECT count(*) FROM {predictions.physical_name}").fetchone()[0],
    }
    if truth is not None:
        found |= _score(connection, clusters.physical_name, truth)
    print(json.dumps(found))


def _score(connection: duckdb.DuckDBPyConnection, clusters: str, truth: Path) -> dict[str, float]:
    """Pairwise precision and recall from group sizes: no pair is listed."""
    connection.execute(
        f"""CREATE TABLE judged AS SELECT c.cluster_id AS cluster, t.person
        FROM {clusters} c JOIN read_parquet('{truth}') t ON c.unique_id = t.unique_id"""
    )
    pairs = "SELECT sum(n * (n - 1) / 2) FROM (SELECT count(*) AS n FROM judged GROUP BY {})"
    both, said, true = (
        connection.execute(pairs.format(by)).fetchone()[0] for by in ("cluster, person", "cluster", "person")
    )
    return {"precision": both / said if said else 1.0, "recall": both / true if true else 1.0}


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else None)
