"""The menu: what an account may enter, grouped by audience. A link whose right is not held is not shown."""

from dataclasses import dataclass

from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from wanjia.access.api import Right, may
from wanjia.kernel import settings
from wanjia.web.labels import role_words
from wanjia.web.middleware import TEXT_COOKIE
from wanjia.web.page import declaration_of


@dataclass(frozen=True)
class Entry:
    """One line of the menu: page name, words, icon (see tools/collect_browser_parts.py), pages that count as inside it."""

    page: str
    label: str | Promise
    icon: str
    right: Right
    inside: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Group:
    """A heading of the menu with its lines."""

    label: str | Promise
    entries: tuple[Entry, ...]


MENU: tuple[Group, ...] = (
    Group(
        _("For me"),
        (
            Entry("resident_home", _("Start"), "home-2", Right.SEE_OWN_RECORD),
            Entry("own_record", _("My record"), "user", Right.SEE_OWN_RECORD),
            Entry("looks", _("Who looked"), "eye", Right.SEE_OWN_RECORD, frozenset({"check_receipt", "ask_why"})),
            Entry(
                "own_requests",
                _("My requests"),
                "clipboard-check",
                Right.SEE_OWN_RECORD,
                frozenset({"own_request", "correct_value"}),
            ),
        ),
    ),
    Group(
        _("Registry"),
        (
            Entry(
                "find_person",
                _("Find a person"),
                "search",
                Right.FIND_PERSON,
                frozenset(
                    {"persons_found", "person", "person_on_a_day", "household_of_person", "merge_persons", "undo_merge"}
                ),
            ),
            Entry(
                "work_queue",
                _("Cases"),
                "clipboard-check",
                Right.HANDLE_EVENTS,
                frozenset({"new_case", "begin_case", "case_form", "case", "merge_of_case"}),
            ),
            Entry(
                "pairs",
                _("Same person?"),
                "affiliate",
                Right.HANDLE_EVENTS,
                frozenset({"pair", "next_pair", "pairs_together"}),
            ),
            Entry(
                "conflicts",
                _("Conflicts"),
                "alert-triangle",
                Right.HANDLE_EVENTS,
                frozenset({"conflict", "next_conflict"}),
            ),
            Entry(
                "documents_desk",
                _("Documents"),
                "clipboard-check",
                Right.ISSUE_DOCUMENT,
                frozenset({"document", "person_documents"}),
            ),
            Entry("emergency", _("Emergency access"), "alert-triangle", Right.BREAK_GLASS),
            Entry(
                "corrections", _("Corrections"), "clipboard-check", Right.DECIDE_CORRECTION, frozenset({"correction"})
            ),
            Entry("notices", _("Notices"), "eye", Right.SEE_NOTICES),
        ),
    ),
    Group(
        _("Data quality"),
        (
            Entry("runs", _("Runs"), "timeline", Right.SEE_RUNS, frozenset({"run"})),
            Entry("quarantine", _("Quarantine"), "file-alert", Right.SEE_QUARANTINE, frozenset({"quarantined_row"})),
            Entry("scorecards", _("Scorecards"), "clipboard-check", Right.SEE_QUALITY, frozenset({"scorecard"})),
            Entry("findings", _("Findings"), "alert-triangle", Right.SEE_QUALITY),
            Entry("linkage_curve", _("Linkage"), "affiliate", Right.SEE_LINKAGE),
            Entry("division_changes", _("Divisions"), "map", Right.CHANGE_DIVISIONS, frozenset({"change_divisions"})),
            Entry("asked", _("Residents ask"), "users", Right.ANSWER_ASKED, frozenset({"asked_case"})),
        ),
    ),
    Group(
        _("Population"),
        (
            Entry("population", _("By area"), "map", Right.SEE_POPULATION),
            Entry("pyramid", _("Age and sex"), "chart-bar", Right.SEE_POPULATION),
            Entry("population_years", _("Over the years"), "chart-line", Right.SEE_POPULATION),
        ),
    ),
    Group(
        _("Oversight"),
        (
            Entry("trace", _("Trace"), "fingerprint", Right.SEE_TRACE),
            Entry("log_check", _("Public log"), "shield-check", Right.SEE_TRACE),
            Entry("seals", _("Sealed reads"), "lock", Right.OPEN_SEALS),
            Entry("alerts", _("Alerts"), "alert-triangle", Right.OVERSEE, frozenset({"alert"})),
            Entry("incidents", _("Incidents"), "file-alert", Right.OVERSEE, frozenset({"incident"})),
            Entry("record_timeline", _("Record time-line"), "timeline", Right.OVERSEE),
            Entry("reviews", _("Permission reviews"), "clipboard-check", Right.OVERSEE, frozenset({"review"})),
        ),
    ),
    Group(_("Administration"), (Entry("keys", _("Keys"), "lock", Right.KEYS, frozenset({"key_certificate"})),)),
)


#: where a role's day begins, if not on the first page of its menu
HOMES = {"auditor": "trace"}


def menu_of(request: HttpRequest) -> list[dict]:
    """The groups and entries this account may use, the current one marked."""
    match = getattr(request, "resolver_match", None)
    declared = declaration_of(match.func) if match else None
    here = declared.name if declared else ""
    shown = []
    for group in MENU:
        entries = [
            {"entry": entry, "current": here == entry.page or here in entry.inside}
            for entry in group.entries
            if may(request.user, entry.right)
        ]
        if entries:
            shown.append({"label": group.label, "entries": entries})
    return shown


def first_page(request: HttpRequest) -> str | None:
    """The name of the first page this account may enter, or None."""
    groups = menu_of(request)
    if home := HOMES.get(getattr(request.user, "role", "")):
        return home
    return groups[0]["entries"][0]["entry"].page if groups else None


def of_request(request: HttpRequest) -> dict:
    """Context processor: the menu, whether texts are large, the role in words; whether this is the practice register, or where it is."""
    said = {"is_practice": settings.is_practice()}
    user = getattr(request, "user", None)
    if user is None:
        return said
    is_large = user.large_text if user.is_authenticated else request.COOKIES.get(TEXT_COOKIE) == "large"
    if not user.is_authenticated:
        return {**said, "menu": [], "is_text_large": is_large}
    said["practice_url"] = (
        settings.practice_url() if may(user, Right.HANDLE_EVENTS) and not said["is_practice"] else None
    )
    return {**said, "menu": menu_of(request), "is_text_large": is_large, "role_word": role_words(user.role)}
