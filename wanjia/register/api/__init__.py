"""The door of the register."""

from wanjia.register.api.around import household_typed, members_around, parties_of
from wanjia.register.api.as_of import (
    AreaList,
    Book,
    Listed,
    Member,
    area_as_of,
    count_as_of,
    household_as_of,
    household_history,
    person_as_of,
)
from wanjia.register.api.cases import (
    assign_case,
    case_steps,
    cases,
    desks_for,
    keep_draft,
    move_case,
    open_case,
    queue_sizes,
    read_case,
    submit_case,
)
from wanjia.register.api.casework import KEYED as _KEYED_CASES
from wanjia.register.api.casework import Case, Step
from wanjia.register.api.correcting import begin_correction, corrected_by
from wanjia.register.api.counting import (
    AgeGroup,
    AreaCounts,
    Pyramid,
    count_population,
    population_by_area,
    population_pyramid,
    sizes,
)
from wanjia.register.api.declaring import event_book, event_kinds, load_events
from wanjia.register.api.erasing import erase_events, erase_person, ids_of
from wanjia.register.api.explaining import Belief, beliefs, statements_about
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
from wanjia.register.api.following import CaseMoved
from wanjia.register.api.forms import check_form, prefilled
from wanjia.register.api.loading import LoadResult, load
from wanjia.register.api.matching import Form, Found, Sought, sought_by
from wanjia.register.api.merging import MERGE, UNMERGE, Beside, Preview, merges_of, preview_merge
from wanjia.register.api.notices import mark_delivered, pending_notices
from wanjia.register.api.numbering import KEYED as _KEYED_NUMBERS
from wanjia.register.api.places import suggested
from wanjia.register.api.reading import as_of, digest, person_facts, rebuild
from wanjia.register.api.redirecting import former_ids, forwarded, forwarded_all, persons_who_left, redirect_persons
from wanjia.register.api.redrawing import (
    DONE,
    WAITING,
    WITHDRAWN,
    Ordered,
    Plan,
    PlannedMove,
    carry_out,
    carry_out_due,
    changes,
    order_change,
    plan_change,
    publish,
    withdraw_change,
)
from wanjia.register.api.resolving import Resolution, resolve, searchable_values
from wanjia.register.api.sealing import seal_person
from wanjia.register.api.series import (
    RestatedCount,
    RestatedDay,
    Series,
    count_years,
    days_counted,
    restated_series,
    whole_area,
)
from wanjia.register.api.telling import plan_told, series_told
from wanjia.register.api.wording import plain_words
from wanjia.register.rules.trees import Node

#: what must be made again when a key rotates (kernel/sealed_stores.py)
KEYED = (*_KEYED_CASES, *_KEYED_NUMBERS)

__all__ = [
    "DONE",
    "KEYED",
    "MERGE",
    "MOST_HITS",
    "UNMERGE",
    "WAITING",
    "WITHDRAWN",
    "AgeGroup",
    "AreaCounts",
    "AreaList",
    "Belief",
    "Beside",
    "Book",
    "Case",
    "CaseMoved",
    "Form",
    "Found",
    "Hit",
    "Hits",
    "Listed",
    "LoadResult",
    "Member",
    "Node",
    "Ordered",
    "Plan",
    "PlannedMove",
    "Preview",
    "Pyramid",
    "Resolution",
    "RestatedCount",
    "RestatedDay",
    "Series",
    "Sought",
    "Step",
    "area_as_of",
    "as_of",
    "assign_case",
    "begin_correction",
    "beliefs",
    "carry_out",
    "carry_out_due",
    "case_steps",
    "cases",
    "changes",
    "check_form",
    "corrected_by",
    "count_as_of",
    "count_population",
    "count_years",
    "days_counted",
    "desks_for",
    "digest",
    "erase_events",
    "erase_person",
    "event_book",
    "event_kinds",
    "find_persons",
    "former_ids",
    "forwarded",
    "forwarded_all",
    "household_as_of",
    "household_history",
    "household_members",
    "household_typed",
    "ids_of",
    "keep_draft",
    "kin_of",
    "load",
    "load_events",
    "mark_delivered",
    "members_around",
    "members_of",
    "merges_of",
    "move_case",
    "numbers_of",
    "open_case",
    "order_change",
    "parties_of",
    "pending_notices",
    "person_as_of",
    "person_facts",
    "persons_who_left",
    "plain_words",
    "plan_change",
    "plan_told",
    "population_by_area",
    "population_pyramid",
    "prefilled",
    "preview_merge",
    "publish",
    "queue_sizes",
    "read_case",
    "rebuild",
    "redirect_persons",
    "rehearse_few",
    "resolve",
    "resolve_few",
    "restated_series",
    "seal_person",
    "searchable_values",
    "series_told",
    "sizes",
    "somebody",
    "sought_by",
    "spouses_of",
    "statements_about",
    "subject_of",
    "subjects_of",
    "submit_case",
    "suggested",
    "whole_area",
    "withdraw_change",
]  # fmt: skip
