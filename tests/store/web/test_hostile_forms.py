"""Every form of the officer's pages takes hostile input with a sentence: none fails, nothing unseen is kept, nothing typed comes back as markup.

The forms of events have their own test, kind by kind (test_cases.py).
"""

from html.parser import HTMLParser

import pytest

from tests.make.town import officer
from tests.store.catalog.test_deciding import filed, number
from tests.store.web.test_cases import plain_static_files
from wanjia.catalog.models import ConflictDecision
from wanjia.kernel import clock
from wanjia.linkage.models import Decision, ReviewCase
from wanjia.register import api as register
from wanjia.web.page import DECLARED, Audience

__all__ = ["filed", "plain_static_files"]
pytestmark = pytest.mark.django_db

REFUSED = {"long": "王" * 100_000, "control": "王\x00\x07小", "rtl": "李安\u202e宁"}
OTHERS = {
    "future": "2999-01-01", "leap": "2026-02-29", "check digit": "990104198206021020", "markup": "<script>alert(1)</script>",
    "sql": "'; DROP TABLE register_event; --", "huge": "9" * 400,
}  # fmt: skip
HOSTILE = REFUSED | OTHERS
#: page → its address here; a page that takes a POST must be in this table
ADDRESSES = {
    "begin_case": "/officer/cases/new/death/",
    "case": "/officer/cases/{case}/",
    "case_form": "/officer/cases/{case}/form/",
    "conflict": "/officer/conflicts/{conflict}/",
    "correction": "/officer/corrections/1/",
    "document": "/officer/documents/990102000001/",
    "documents_desk": "/officer/documents/",
    "emergency": "/officer/emergency/",
    "find_person": "/officer/find/",
    "merge_persons": "/officer/persons/1/merge/",
    "notices": "/officer/notices/",
    "pair": "/officer/pairs/{pair}/",
    "pairs_together": "/officer/pairs/together/",
    "person": "/officer/persons/1/",
    "person_documents": "/officer/persons/1/documents/",
    "undo_merge": "/officer/persons/1/unmerge/1/",
}
#: what a form asks in the person's own words, where nothing unseen may be kept
REASONS = {"v-ground", "reason", "v-reason", "case"}


class Forms(HTMLParser):
    """The forms of a page that post: their fields with what stands in them, and their buttons."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[dict[str, str], set[str], list[tuple[str, str]]]] = []
        self._open = False
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        said = dict(attributes)
        if tag == "form":
            self._open = (said.get("method") or "").lower() == "post" and not (said.get("action") or "").startswith("/")
            if self._open:
                self.found.append(({}, set(), []))
        elif self._open and said.get("name"):
            kept, typed, buttons = self.found[-1]
            if tag == "button":
                buttons.append((said["name"], said.get("value") or ""))
            elif (
                tag == "textarea"
                or (tag == "input" and said.get("type", "text") in ("text", "search", "number", "date", ""))
                or tag == "select"
            ):
                typed.add(said["name"])
            elif tag == "input":
                kept[said["name"]] = said.get("value") or ""

    def handle_endtag(self, tag):
        if tag == "form":
            self._open = False


def posting():
    return {
        name
        for name, page in DECLARED.items()
        if page.audience is Audience.OFFICER and "POST" in page.methods and name not in ("corrections",)
    }


def test_every_page_that_takes_a_form_is_in_the_table():
    import wanjia.web.urls  # noqa: F401  declares all pages

    assert posting() == set(ADDRESSES)


@pytest.fixture
def places(filed, client):
    account = officer("li", "990104")
    client.force_login(account)
    case = register.open_case("death", {}, officer=account, purpose="case")
    pair = ReviewCase.objects.create(
        assertion_l=1, assertion_r=2, person_l=1, person_r=2, probability=0.5, reason="uncertain", model="m", record_l=1, record_r=2,
        opened_at=clock.now(),
    )  # fmt: skip
    return {"case": case.id, "conflict": number(1), "pair": pair.pk}


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(n, marks=() if n in ("conflict", "pair", "merge_persons") else pytest.mark.heavy)
        for n in sorted(ADDRESSES)
    ],
)
def test_hostile_input_gets_an_answer_and_is_never_kept_unseen(places, client, name):
    address = ADDRESSES[name].format(**places)
    # as typed in a browser that shows what the page holds; a page out of reach gets the same blind
    shown = client.get(address)
    forms = Forms(shown.content.decode()).found if shown.status_code == 200 else []
    forms = forms or [({}, REASONS | {"q", "verb", "to", "verdict", "outcome", "text"}, [])]
    for kept, typed, buttons in forms:
        for button in dict.fromkeys([*buttons, ("", "")]):
            for kind, text in HOSTILE.items():
                given = {**kept, **dict.fromkeys(typed, text)}
                if button[0]:
                    given[button[0]] = button[1]
                answer = client.post(address, given, follow=True)
                said = answer.content.decode()
                assert answer.status_code < 500, (kind, button)
                assert "<script>alert(1)" not in said, (kind, button)
                if kind in REFUSED and button[0] == "verdict":
                    assert 'role="alert"' in said, (kind, button)
                    assert not Decision.objects.exists(), (kind, button)
                    assert not ConflictDecision.objects.exists(), (kind, button)
                if name in ("pair", "conflict") and (Decision.objects.exists() or ConflictDecision.objects.exists()):
                    return  # a text that is a reason like any other was taken as one


@pytest.mark.parametrize("kind", sorted(REFUSED))
def test_a_reason_that_nobody_can_read_decides_nothing(places, client, kind):
    for one, verdict in (("pair", "different"), ("conflict", "stands")):
        address = ADDRESSES[one].format(**places)
        kept, _typed, _buttons = Forms(client.get(address).content.decode()).found[-1]
        said = client.post(address, {**kept, "v-ground": REFUSED[kind], "verdict": verdict}).content.decode()
        assert 'href="#v-ground"' in said, one
        assert 'aria-invalid="true"' in said, one
    assert not Decision.objects.exists()
    assert not ConflictDecision.objects.exists()
