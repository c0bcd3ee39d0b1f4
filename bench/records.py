"""Write the active assertions of WANJIA_HOME as plain records for the reference run, and who each truly is.

    python -m bench.records RECORDS.parquet TRUTH.parquet JUDGED.parquet

In clear: for fictional and public data only.
"""

import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq


def main(records: Path, truth: Path, judged: Path) -> None:
    from wanjia.kernel.database import setup_django

    setup_django()
    from wanjia.intake import api as intake
    from wanjia.kernel.engine import get_engine

    with get_engine("duckdb") as engine:
        rows = intake.active_assertions(engine)
        has = set(rows.columns)

        def text(*names: str):
            import ibis

            found = [rows[name].cast("string") for name in names if name in has]
            return ibis.coalesce(*found) if found else ibis.null("string")

        table = engine.arrow(
            rows.select(
                unique_id=rows.assertion_id, source=rows.source, record_key=rows.record_key, subject=rows.subject,
                number=text("citizen_number"), name=text("name__norm", "name"), surname=text("name__surname"),
                given=text("name__given"), birth_on=text("birth_on"), sex=text("sex"),
                division=text("residence_address__division", "domicile_address__division"),
                address=text("residence_address__norm", "domicile_address__norm"),
            )
        )  # fmt: skip
    pq.write_table(table, records)
    keys = ["source", "record_key", "subject"]
    true = pq.read_table(truth, columns=[*keys, "person"])
    true = true.cast(pa.schema([table.schema.field(k) for k in keys] + [true.schema.field("person")]))
    pq.write_table(
        table.select(["unique_id", *keys]).join(true, keys, join_type="inner").select(["unique_id", "person"]), judged
    )


if __name__ == "__main__":
    main(*(Path(argument) for argument in sys.argv[1:4]))
