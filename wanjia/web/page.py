"""How a page is declared: its path, its audience and the right it asks for, on the function that answers.

A function that is not declared has no address (urls.py serves declarations only) and, were it to get one, would be
refused by middleware.DeniedByDefault.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from django.http import HttpRequest, HttpResponse

from wanjia.access.api import Right

View = Callable[..., HttpResponse]


class Audience(StrEnum):
    """Who a page is for. PUBLIC needs no log-in, STAFF any account, the others the folder's readers."""

    PUBLIC = "public"
    STAFF = "staff"
    OFFICER = "officer"
    STEWARD = "steward"
    PLANNER = "planner"
    AUDITOR = "auditor"
    ADMIN = "admin"
    RESIDENT = "resident"


@dataclass(frozen=True)
class Declaration:
    """What a page said about itself."""

    path: str
    name: str
    audience: Audience
    right: Right | None
    methods: frozenset[str]
    view: View
    #: the page itself says how long its answers may be kept; all others are kept by nobody
    sets_keeping: bool = False

    @property
    def address(self) -> str:
        """Path below the site's root: public and staff pages at the root, others below their audience's name."""
        at_root = self.audience in (Audience.PUBLIC, Audience.STAFF)
        return self.path if at_root else f"{self.audience}/{self.path}"


#: every declared page by name; filled as the audiences' modules are imported
DECLARED: dict[str, Declaration] = {}


def page(
    path: str,
    *,
    audience: Audience,
    right: Right | None,
    methods: tuple[str, ...] = ("GET",),
    sets_keeping: bool = False,
    name: str = "",
) -> Callable[[View], View]:
    """Declare the decorated function as the page at `path`, named after the function or by `name` (a library's own name for it).

    Raises ValueError when a page outside PUBLIC asks for no right or says how long it may be kept, or two pages carry one name: all are
    mistakes of a programmer, found at start-up.
    """

    def declare(view: View) -> View:
        called = name or view.__name__
        if right is None and audience is not Audience.PUBLIC:
            raise ValueError(f"page {called} is not public, so it must ask for a right")
        if sets_keeping and audience is not Audience.PUBLIC:
            raise ValueError(f"page {called} is not public, so nobody may keep it")
        if called in DECLARED and DECLARED[called].view.__module__ != view.__module__:
            raise ValueError(f"two pages are named {called}")
        allowed = frozenset({*methods, *({"HEAD"} if "GET" in methods else ())})
        view.declaration = Declaration(path, called, audience, right, allowed, view, sets_keeping)  # type: ignore[attr-defined]
        DECLARED[called] = view.declaration  # type: ignore[attr-defined]
        return view

    return declare


def declaration_of(view: View) -> Declaration | None:
    """The declaration of a view function, or None."""
    return getattr(view, "declaration", None)


def is_fragment(request: HttpRequest) -> bool:
    """Whether htmx asks for a part of the page only; the same address without script gives the whole page."""
    return request.headers.get("HX-Request") == "true" and request.headers.get("HX-History-Restore-Request") != "true"
