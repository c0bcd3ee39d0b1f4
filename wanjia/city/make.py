"""Making a city on disk: the people, what every department sends, and the truth apart."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet

from wanjia.city import formats, population, truth
from wanjia.city.exports import civil_affairs, health, insurance, police, schools
from wanjia.city.exports.writing import Export
from wanjia.city.population import City
from wanjia.kernel.progress import Progress, SilentProgress

EXPORTS: dict[str, Callable[[City], Export]] = {
    "police_register": police.police_register,
    "residence_registration": police.residence_registration,
    "birth_certificates": health.birth_certificates,
    "death_certificates": health.death_certificates,
    "marriages": civil_affairs.marriages,
    "assistance": civil_affairs.assistance,
    "social_insurance": insurance.social_insurance,
    "school_rolls": schools.school_rolls,
    "medical_insurance": insurance.medical_insurance,
}
FOLDERS = ("inbox", "push", "databases", "truth")
FIRST_DELIVERY = "20260630"


def make_city(residents: int, seed: int, out: Path, progress: Progress | None = None) -> dict:
    """Writes the city of `residents` people into `out` (its four folders are replaced) and returns truth/summary.json's content.

    Same residents and seed, same rows. Raises ValueError below 200 residents: too few for nine departments.
    """
    if residents < 200:
        raise ValueError("a city has at least 200 residents")
    progress = progress or SilentProgress()
    for folder in FOLDERS:
        shutil.rmtree(out / folder, ignore_errors=True)
        (out / folder).mkdir(parents=True)
    progress.stage("people", 1)
    city = population.build(residents, seed)
    progress.advance()
    rows: dict[str, int] = {}
    with pyarrow.parquet.ParquetWriter(out / "truth" / "records.parquet", truth.RECORDS, compression="zstd") as records:
        for source, make in EXPORTS.items():
            progress.stage(source, 2)
            export = make(city)
            progress.advance()
            delivery = formats.DELIVERIES[source]
            delivery.write(delivery, export, out / delivery.path.format(day=FIRST_DELIVERY))
            records.write_table(truth.record_rows(export))
            rows[source] = len(export) + len(export.repeats)
            progress.advance()
            del export
            pa.default_memory_pool().release_unused()
    progress.stage("truth", 1)
    truth.write_persons(city, out / "truth" / "persons.parquet")
    content = truth.summary(city, rows)
    truth.write_summary(content, out / "truth" / "summary.json")
    progress.done()
    return content
