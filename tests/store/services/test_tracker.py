"""Who looked, through a national portal: as its OpenAPI says, with a right and a scope of its own, no person in an address, nobody told apart."""

import base64
import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from django.db import connection
from django.test import Client

from wanjia.access import api as access
from wanjia.access.errors import RoleUnknown
from wanjia.kernel import clock
from wanjia.privacy import api as privacy
from wanjia.services import api as services
from wanjia.trace import api as trace

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
ME, SEALED = 71, 72
NUMBERS = {ME: "990101198001010015", SEALED: "990101198001010023"}
BELOW = "/exchange/v1/tracker/"
OPENAPI = json.loads((Path(__file__).parents[3] / "docs/reference/tracker-openapi.json").read_text())
WHO = {"by": "test", "why": "test"}


@pytest.fixture(autouse=True)
def register(home):
    """Two residents who can be found by number, one of them sealed."""
    with clock.stopped_at(NOW):
        with connection.cursor() as cursor:
            for person in NUMBERS:
                cursor.execute(
                    "INSERT INTO register_person (id, founded_at, is_sealed) VALUES (%s, %s, %s)",
                    [person, NOW, person == SEALED],
                )
                cursor.execute(
                    "INSERT INTO register_personstate (person_id, sex, valid, known, sole)"
                    " VALUES (%s, '2', daterange(null, null), tstzrange(%s, null), true)",
                    [person, NOW],
                )
        privacy.keep_searchable(
            pa.table(
                {
                    "person_id": pa.array(list(NUMBERS), pa.int64()),
                    "kind": ["number"] * 2,
                    "value": list(NUMBERS.values()),
                }
            )
        )
        trace.Sequencer(home).step()
        yield


def token_of(role: str = "portal", scope: str = "tracker") -> str:
    made = access.open_machine(f"m-{role}", role=role, **WHO)
    told = base64.b64encode(f"{made.client_id}:{made.secret}".encode()).decode()
    answer = Client().post(
        "/identity/o/api/token",
        {"grant_type": "client_credentials", "scope": scope},
        headers={"authorization": f"Basic {told}"},
    )
    return answer.json().get("access_token", "")


TYPES = {"object": dict, "array": list, "string": str, "integer": int, "boolean": bool, "null": type(None)}


def ensure(value, schema: dict, where: str) -> None:
    """That a value is what its schema says: the keywords that the document uses, and no other may stand in it."""
    if "$ref" in schema:
        return ensure(value, OPENAPI["components"]["schemas"][schema["$ref"].rpartition("/")[2]], where)
    known = {"type", "const", "pattern", "minLength", "minimum", "format", "description", "items", "properties"}
    assert set(schema) <= known | {"required", "additionalProperties"}, (
        f"{where}: teach this test {set(schema) - known}"
    )
    assert value == schema.get("const", value), where
    wanted = schema.get("type", [])
    wanted = [wanted] if isinstance(wanted, str) else wanted
    assert not wanted or type(value) in {TYPES[one] for one in wanted}, f"{where} is {value!r}"
    if isinstance(value, str):
        assert re.search(schema.get("pattern", ""), value), where
        assert len(value) >= schema.get("minLength", 0), where
        assert schema.get("format") != "date-time" or datetime.fromisoformat(value).tzinfo, where
    if isinstance(value, int):
        assert value >= schema.get("minimum", value), where
    if isinstance(value, list):
        for one in value:
            ensure(one, schema["items"], f"{where}[]")
    if isinstance(value, dict):
        assert set(schema["required"]) == set(value) == set(schema["properties"]), where
        for key, one in value.items():
            ensure(one, schema["properties"][key], f"{where}.{key}")


def asked(bearer: str, what: str = "findUsage", person: int = ME, **query):
    """The answer, shown to be what the OpenAPI says of this address and status."""
    headers = {"authorization": f"Bearer {bearer}", "x-road-userid": f"CN{NUMBERS.get(person, '990101198001010031')}"}
    answer = Client().get(BELOW + what, query, headers=headers)
    said = OPENAPI["paths"][f"/{what}"]["get"]["responses"][str(answer.status_code)]
    if "$ref" in said:
        said = OPENAPI["components"]["responses"]["Problem"]
    [(media, described)] = said["content"].items()
    assert answer["Content-Type"].startswith(media)
    ensure(answer.json(), described["schema"], what)
    return answer


def look(at: datetime = NOW, person: int = ME, purpose: str = "case:A-1", kind: str = "privacy.open_person") -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO trace_entry (at, kind, actor, purpose, subject, department, detail)"
            """ VALUES (%s, %s, 'lin', %s, %s, 'GA', '{"fields": ["name"]}')""",
            [at, kind, purpose, person],
        )


def test_a_portal_gets_what_the_own_page_tells():
    for hours in range(1, 5):
        look(NOW - timedelta(hours=hours))
    look(NOW - timedelta(days=40), purpose="inherit")
    job = trace.record_job("linkage.export", persons=[ME], by="job:x", why="x")
    portal = token_of()
    told = asked(portal).json()
    assert told["totalUsages"] == told["returnedUsages"] == 5
    assert told["toldByMonth"] == [{"month": "2026-10", "count": 1}]
    times = [one["logtime"] for one in told["usages"]]
    assert times == sorted(times, reverse=True)
    assert {"办理窗口业务"} == {one["purpose"] for one in told["usages"] if not one["bulkProcessing"]}
    assert "A-1" not in str(told)
    assert "lin" not in str(told).split("'")
    assert job
    page = asked(portal, limit="2", offset="1", includeBulkProcessing="false").json()
    assert (page["totalUsages"], page["returnedUsages"]) == (5, 2), "the first question is a look by now, too"
    since = (NOW - timedelta(hours=2, minutes=30)).isoformat()
    until = (NOW - timedelta(minutes=30)).isoformat()
    assert asked(portal, periodStart=since, periodEnd=until).json()["totalUsages"] == 2


def test_the_person_sees_that_a_portal_asked():
    asked(token_of())
    [told] = [row for row in services.looks(ME, own="").rows if row["kind"] == "services.find_usage"]
    assert (told["actor"], told["purpose"]) == ("m-portal", "own")


def test_nobody_and_a_sealed_person_get_the_same_empty_answer():
    look(person=SEALED)
    portal = token_of()
    answers = {json.dumps(asked(portal, person=person).json()) for person in (SEALED, 99)}
    assert answers == {json.dumps({"totalUsages": 0, "returnedUsages": 0, "usages": [], "toldByMonth": []})}


def test_a_right_and_a_scope_of_its_own():
    plain = token_of("machine", "exchange")
    assert asked(plain).status_code == 401
    assert asked("").status_code == 401
    assert token_of("portal", "exchange") == "", "a portal's client gets no token for the exchange"
    with pytest.raises(RoleUnknown):
        access.open_machine("x", role="officer", **WHO)
    assert asked(plain, "usagePeriod").status_code == 401


@pytest.mark.parametrize(
    "query",
    [
        {"userCode": "990101198001010015"},
        {"limit": "0"},
        {"limit": "10001"},
        {"limit": "x"},
        {"offset": "-1"},
        {"periodStart": "yesterday"},
        {"includeBulkProcessing": "perhaps"},
    ],
)
def test_what_the_protocol_does_not_know_is_refused(query):
    answer = asked(token_of(), **query)
    assert answer.status_code == 400
    assert "990101198001010015" not in answer.content.decode()


def test_period_and_heartbeat():
    period = asked(token_of(), "usagePeriod").json()
    assert period["periodEnd"] == "2026-11-21T12:00:00Z"
    assert period["periodStart"]
    assert asked("", "heartbeat").json()["status"] == "OK"


def test_english_words_on_request():
    look()
    headers = {"authorization": f"Bearer {token_of()}", "x-road-userid": NUMBERS[ME], "accept-language": "en"}
    [one] = Client().get(f"{BELOW}findUsage", headers=headers).json()["usages"]
    assert one["purpose"] == "Handle an application at the counter"
