"""Who gets in: every declared page against every role, and what an answer must carry."""

import pytest
from django.test import Client, RequestFactory

from wanjia.access import api as access
from wanjia.web import urls
from wanjia.web.middleware import DeniedByDefault
from wanjia.web.page import DECLARED, Audience

pytestmark = pytest.mark.django_db

FILLINGS = {
    "<int:run_id>": "1",
    "<int:refusal_id>": "1",
    "<int:person_id>": "1",
    "<int:household_id>": "1",
    "<str:division>": "990104",
    "<str:token>": "x",
    "<slug:column>": "name",
    "<slug:source>": "x",
    "<str:code>": "x",
    "<int:number>": "1",
    "<int:merge>": "1",
    "<int:pk>": "1",
    "<slug:provider_id>": "outside",
    "<str:number>": "1",
    "<path:name>": "x",
}
GUARDED = [d for d in DECLARED.values() if d.audience is not Audience.PUBLIC]


@pytest.fixture(autouse=True)
def plain_static_files(settings):
    """Without collectstatic there is no manifest; names stay as they are."""
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }


@pytest.fixture
def as_role():
    """as_role(role) → a client logged in as an account of that role."""

    def log_in(role: str, **details) -> Client:
        account = access.open_account(username=role, display_name=role, role=role, password="x" * 12, **details)
        client = Client()
        client.force_login(account)
        return client

    return log_in


def address(declared) -> str:
    path = "/" + declared.address
    for blank, value in FILLINGS.items():
        path = path.replace(blank, value)
    assert "<" not in path, f"{path}: add a filling for its part"
    return path


def method(declared) -> str:
    return "get" if "GET" in declared.methods else "post"


def callbacks(patterns) -> set:
    found = set()
    for pattern in patterns:
        found |= callbacks(pattern.url_patterns) if hasattr(pattern, "url_patterns") else {pattern.callback}
    return found


def test_all_addresses_are_declared_pages():
    assert callbacks(urls.urlpatterns) == {d.view for d in DECLARED.values()}
    assert len(DECLARED) == len({d.address for d in DECLARED.values()}) == len({d.view for d in DECLARED.values()})


@pytest.mark.parametrize("declared", GUARDED, ids=lambda d: d.name)
def test_strangers_are_sent_to_log_in(declared):
    answer = getattr(Client(), method(declared))(address(declared))
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("/login/?next=/")


@pytest.mark.parametrize("role", sorted(access.book().roles))
def test_a_page_answers_only_to_its_right(as_role, role):
    client = as_role(role)
    for declared in GUARDED:
        answer = getattr(client, method(declared))(address(declared))
        refused = answer.status_code == 403 and b"ACCESS-001" in answer.content
        assert refused is not (declared.right in access.book().roles[role].rights), (
            f"{role} at {declared.name}: {answer.status_code}"
        )


def test_an_undeclared_view_is_refused(as_role):
    def forgotten(request): ...

    request = RequestFactory().get("/")
    refused = DeniedByDefault(lambda r: None).process_view(request, forgotten, (), {})
    assert refused.status_code == 403
    assert b"WEB-001" in refused.content


@pytest.mark.parametrize("declared", list(DECLARED.values()), ids=lambda d: d.name)
def test_other_methods_are_refused(declared):
    wrong = next(m for m in ("DELETE", "PUT") if m not in declared.methods)
    assert Client().generic(wrong, address(declared)).status_code == 405


def test_every_answer_is_kept_by_nobody_and_bound_by_the_policy(as_role):
    for client, path in ((Client(), "/login/"), (Client(), "/nowhere/"), (as_role("steward"), "/steward/runs/")):
        answer = client.get(path)
        assert answer.headers["Cache-Control"] == "no-store"
        policy = answer.headers["Content-Security-Policy"]
        assert "unsafe" not in policy
        assert "default-src 'none'" in policy
        assert answer.headers["X-Frame-Options"] == "DENY"


def test_language_is_chosen_not_guessed(as_role):
    client = as_role("steward")
    english_browser = {"headers": {"accept-language": "en"}}
    assert client.get("/steward/runs/", **english_browser).headers["Content-Language"] == "zh-hans"
    client.post("/preferences/", {"language": "en", "next": "/steward/runs/?page=2"})
    assert client.get("/steward/runs/").headers["Content-Language"] == "en"
    other_browser = Client()
    other_browser.force_login(client.get("/steward/runs/").wsgi_request.user)
    assert other_browser.get("/steward/runs/").headers["Content-Language"] == "en", "the account remembers"


@pytest.mark.parametrize("away", ["https://example.org/", "//example.org", "javascript:alert(1)", "\\\\example.org"])
def test_log_in_leads_nowhere_else(as_role, away):
    client = as_role("steward")
    assert client.get("/login/", {"next": away}).headers["Location"] == "/"
    assert client.post("/preferences/", {"text": "large", "next": away}).headers["Location"] == "/"


def test_wrong_password_does_not_say_which_half(as_role):
    as_role("steward")
    known = Client().post("/login/", {"login": "steward", "password": "wrong"})
    unknown = Client().post("/login/", {"login": "nobody", "password": "wrong"})
    said = "账号与密码不符"
    assert said in known.content.decode()
    assert said in unknown.content.decode()


def test_a_query_is_sealed_in_the_session(as_role):
    from django.contrib.sessions.models import Session

    client = as_role("officer")
    answer = client.post("/officer/find/", {"query": "欧阳若兰", "birth_year": "", "purpose": "case", "case": "A-1"})
    assert answer.status_code == 302
    kept = "".join(str(session.get_decoded()) for session in Session.objects.all())
    assert "searches" in kept
    assert "欧阳若兰" not in kept
    assert "欧阳" not in answer.headers["Location"]


def test_a_case_number_is_no_place_for_a_name(as_role):
    answer = as_role("officer").post("/officer/find/", {"query": "欧阳若兰", "purpose": "case", "case": "王先生的事"})
    assert answer.status_code == 200
    assert "业务编号只能含" in answer.content.decode()


def test_a_token_of_another_session_finds_nothing(as_role):
    officer = as_role("officer")
    found = officer.post("/officer/find/", {"query": "欧阳若兰", "purpose": "case"}).headers["Location"]
    other = Client()
    other.force_login(access.open_account(username="o2", display_name="o2", role="officer", password="x" * 12))
    assert other.get(found).headers["Location"] == "/officer/find/"
