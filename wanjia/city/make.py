"""Making a city on disk: the people, what every department sends, and the truth apart."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet

from wanjia.city import formats, later, population, truth
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
DELIVERED = {1: "20260630", 2: "20260930"}


def make_city(residents: int, seed: int, out: Path, progress: Progress | None = None, *, wave: int = 1) -> dict:
    """Writes the city of `residents` people into `out` and returns truth/summary.json's content.

    Wave 1 replaces the four folders of `out`. Wave 2 adds what departments send three months later (new files, changed rows of the
    database) and replaces the truth by that of both waves; it is for an `out` that holds wave 1 of the same residents and seed.
    Same arguments, same rows. Raises ValueError below 200 residents (too few for nine departments) or for another wave.
    """
    if residents < 200:
        raise ValueError("a city has at least 200 residents")
    if wave not in (1, 2):
        raise ValueError("a city has waves 1 and 2")
    progress = progress or SilentProgress()
    for folder in FOLDERS:
        if wave == 1:
            shutil.rmtree(out / folder, ignore_errors=True)
        (out / folder).mkdir(parents=True, exist_ok=True)
    progress.stage("people", 1)
    city = population.build(residents, seed)
    today, changes = (city, None) if wave == 1 else later.three_months_on(city)
    progress.advance()
    rows: dict[str, int] = {}
    with pyarrow.parquet.ParquetWriter(out / "truth" / "records.parquet", truth.RECORDS, compression="zstd") as records:
        for source, make in EXPORTS.items():
            progress.stage(source, 2)
            first = make(city)
            progress.advance()
            sent = first if changes is None else _second(first, make, today, changes)
            if sent is not None:
                delivery = formats.DELIVERIES[source]
                delivery.write(delivery, sent, out / delivery.path.format(day=DELIVERED[wave]))
            for part in [first] if sent is None or sent is first else [_without(first, sent), sent]:
                records.write_table(truth.record_rows(part))
            rows[source] = 0 if sent is None else len(sent) + len(sent.repeats)
            progress.advance()
            del first, sent
            pa.default_memory_pool().release_unused()
    progress.stage("truth", 1)
    truth.write_persons(today, out / "truth" / "persons.parquet")
    content = truth.summary(today, rows)
    truth.write_summary(content, out / "truth" / "summary.json")
    progress.done()
    return content


def _second(first: Export, make: Callable[[City], Export], today: City, changes: later.Changes) -> Export | None:
    """What a source sends in the second wave: rows changed since `first`, then rows of persons new to it; None if nothing."""
    parts = [later.changed_rows(first, today, changes)]
    newcomers = changes.new_in(first.source)
    if newcomers.any():
        parts.append(make(later.only(today, newcomers)))
    sent = [part for part in parts if part is not None and len(part)]
    return later.together(sent) if sent else None


def _without(first: Export, sent: Export) -> Export:
    """The rows of `first` that `sent` did not replace."""
    kept = pc.invert(pc.is_in(first.keys, value_set=sent.keys))
    rows = np.flatnonzero(np.asarray(kept))
    return Export(
        first.source,
        first.keys.filter(kept),
        {},
        {role: person[rows] for role, person in first.person.items()},
        {role: mask[rows] for role, mask in first.faults.items()},
        np.zeros(0, np.int64),
    )
