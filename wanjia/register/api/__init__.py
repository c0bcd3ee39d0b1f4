"""The door of the register."""

from wanjia.register.api.counting import (
    AgeGroup,
    AreaCounts,
    Pyramid,
    count_population,
    population_by_area,
    population_pyramid,
    sizes,
)
from wanjia.register.api.erasing import erase_person
from wanjia.register.api.explaining import Belief, beliefs
from wanjia.register.api.few import rehearse_few, resolve_few, spouses_of
from wanjia.register.api.finding import (
    MOST_HITS,
    Hit,
    Hits,
    find_persons,
    household_members,
    kin_of,
    members_of,
    numbers_of,
    somebody,
    subject_of,
    subjects_of,
)
from wanjia.register.api.loading import LoadResult, load
from wanjia.register.api.matching import Form, Found, Sought, sought_by
from wanjia.register.api.reading import as_of, digest, person_facts, rebuild
from wanjia.register.api.redirecting import former_ids, forwarded, persons_who_left, redirect_persons
from wanjia.register.api.resolving import Resolution, resolve, searchable_values
from wanjia.register.api.sealing import seal_person

__all__ = [
    "MOST_HITS",
    "AgeGroup",
    "AreaCounts",
    "Belief",
    "Form",
    "Found",
    "Hit",
    "Hits",
    "LoadResult",
    "Pyramid",
    "Resolution",
    "Sought",
    "as_of",
    "beliefs",
    "count_population",
    "digest",
    "erase_person",
    "find_persons",
    "former_ids",
    "forwarded",
    "household_members",
    "kin_of",
    "load",
    "members_of",
    "numbers_of",
    "person_facts",
    "persons_who_left",
    "population_by_area",
    "population_pyramid",
    "rebuild",
    "redirect_persons",
    "rehearse_few",
    "resolve",
    "resolve_few",
    "seal_person",
    "searchable_values",
    "sizes",
    "somebody",
    "sought_by",
    "spouses_of",
    "subject_of",
    "subjects_of",
]  # fmt: skip
