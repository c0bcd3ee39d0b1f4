"""How many decisions and machine tokens a second one process makes, beside references in the same run.

    WANJIA_HOME=… python -m bench.access [--seconds 3] [--record]

Decisions: `decide` as pages ask it (remembered by circumstances), the same with nothing remembered, and Cedar alone on one pre-parsed request.
Tokens: client credentials through the whole address (middleware, client look-up, secret check, token row), beside the same with the secret under
Django's slow password hash. Prints one JSON line; `--record` writes bench/results/access.json and the page.
"""

import argparse
import base64
import json
import time
from collections.abc import Callable

from bench.page import RESULTS, write_page


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--record", action="store_true")
    said = parser.parse_args()
    from wanjia.kernel.database import migrate

    migrate()
    found = {**decisions(said.seconds), **tokens(said.seconds)}
    print(json.dumps(found))
    if said.record:
        RESULTS.mkdir(exist_ok=True)
        (RESULTS / "access.json").write_text(json.dumps(found, indent=1) + "\n")
        write_page()


def rate(work: Callable[[int], object], seconds: float) -> float:
    """How often a second `work` is done, given a running number."""
    done, end = 0, time.perf_counter() + seconds
    began = time.perf_counter()
    while time.perf_counter() < end:
        work(done)
        done += 1
    return round(done / (time.perf_counter() - began), 1)


def decisions(seconds: float) -> dict[str, float]:
    """Decisions about reading (ten field groups each) a second."""
    import cedarpy

    from wanjia.access import api
    from wanjia.access.api import Action, Subject
    from wanjia.access.models import Account
    from wanjia.access.rules import Circumstances

    book = api.book()
    officer = Account(pk=0, username="bench", role="officer", area="990102", is_active=True)
    subjects = [Subject(n, (f"9901020010{n % 90 + 10}",)) for n in range(1000)]
    case = Circumstances(in_area=True)
    request = {
        "principal": 'Role::"officer"',
        "action": 'Action::"find"',
        "resource": 'Register::"persons"',
        "context": {**case.as_context(), "purpose": {"__entity": {"type": "Purpose", "id": "case"}}},
    }
    return {
        "decisions_per_second": rate(lambda n: api.decide(officer, Action.READ, subjects[n % 1000], "case"), seconds),
        "decisions_unremembered_per_second": rate(
            lambda _: book._decide("officer", Action.READ, "case", case), seconds
        ),
        "cedar_alone_per_second": rate(
            lambda _: cedarpy.is_authorized(request, book._policies, book._entities, book._schema), seconds
        ),
    }


def tokens(seconds: float) -> dict[str, float]:
    """Tokens a second, with our hash of the client's secret and with Django's slow one."""
    from allauth.idp.oidc.models import Client as Registered
    from django.contrib.auth.hashers import PBKDF2PasswordHasher
    from django.test import Client
    from django.test.utils import override_settings

    from wanjia.access import api

    why = {"by": "bench", "why": "bench"}
    made = api.open_machine(f"bench-{int(time.time())}", **why)
    browser = Client()
    told = base64.b64encode(f"{made.client_id}:{made.secret}".encode()).decode()

    def ask(_: int) -> None:
        answer = browser.post(
            "/identity/o/api/token",
            {"grant_type": "client_credentials", "scope": "exchange"},
            headers={"authorization": f"Basic {told}"},
        )
        assert answer.status_code == 200, answer.content

    ask(0)  # the first request of a process reads addresses and templates
    fast = rate(ask, seconds)
    Registered.objects.filter(id=made.client_id).update(secret=PBKDF2PasswordHasher().encode(made.secret, "salt"))
    slow_hash = "django.contrib.auth.hashers.PBKDF2PasswordHasher"
    with override_settings(PASSWORD_HASHERS=[slow_hash]):
        slow = rate(ask, seconds)
    api.close_client(made.client_id, **why)
    return {"tokens_per_second": fast, "tokens_with_slow_hash_per_second": slow}


if __name__ == "__main__":
    main()
