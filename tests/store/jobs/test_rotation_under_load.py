"""All keys rotate twice while persons are read, searched and pushed; the re-encryption is killed again and again. Nobody notices."""

import json
import os
import random
import signal
import subprocess
import sys
import time

import pytest

# the re-encryption works beside readers and pushes; keys younger than a minute are waited for
pytestmark = [pytest.mark.heavy, pytest.mark.timeout(1500)]

SEED = 20261121
KILLS = 8
PURPOSES = [
    "vault", "lake", "quarantine", "trace-nonce", "trace-signing", "blind:name", "blind:pinyin", "blind:number", "blind:vault-likeness",
    "blind:delivery", "kek",
]  # fmt: skip
READ = """
import json, random, signal, sys, time
from wanjia.kernel.database import setup_django
setup_django()
from django.db import connection
from wanjia.privacy import api as privacy
from wanjia.privacy.api import BlindKind
from wanjia.trace import api as trace
# as every command that reads persons begins: the server was started anew since the log was last looked at
assert trace.confirm()
stopping = []
signal.signal(signal.SIGTERM, lambda *_: stopping.append(1))
chance, read, failed = random.Random(1), 0, []
with connection.cursor() as cursor:
    cursor.execute("SELECT person_id FROM privacy_vaultentry WHERE known_to IS NULL")
    persons = [row[0] for row in cursor.fetchall()]
print("ready", flush=True)
while not stopping:
    person = chance.choice(persons)
    try:
        dossier = privacy.open_person(person, by="reader", why="test")
        numbers = {s.values.get("GA01") for s in dossier.statements} - {None}
        for number in [n for n in numbers if len(n) == 18]:
            if person not in privacy.find_by_blind(BlindKind.NUMBER, [number]).get(number, []):
                failed.append("not found by number")
        read += 1
    except Exception as error:
        failed.append(f"{type(error).__name__} {error}")
    time.sleep(0.005)
print(json.dumps({"done": read, "failed": failed}), flush=True)
"""
PUSH = """
import json, signal, sys, time
from wanjia.kernel.database import setup_django
setup_django()
from tests.store.intake.test_pushes_and_pulls import SOURCE, death
from wanjia.intake import api as intake
stopping = []
signal.signal(signal.SIGTERM, lambda *_: stopping.append(1))
pushed, failed = 0, []
print("ready", flush=True)
while not stopping:
    for number in (pushed, pushed // 2):
        try:
            receipt = intake.receive_rows(SOURCE, [death(number)], idempotency_key=f"k{number}", by="machine:1", why="test")
            if receipt.was_known != (number < pushed):
                failed.append(f"push {number} of {pushed}: was_known {receipt.was_known}")
        except Exception as error:
            failed.append(f"{type(error).__name__} {error}")
        if number == pushed:
            pushed += 1
    time.sleep(0.1)
print(json.dumps({"done": pushed, "failed": failed}), flush=True)
"""
KEEPER = """
from wanjia.kernel.database import setup_django
setup_django()
from wanjia.access.api import open_account, random_password
open_account(username="keeper", display_name="K", role="security_admin", password=random_password(), by="test", why="test")
# the log's own keys come with its first checkpoint
from wanjia.trace import api as trace
trace.Sequencer().step()
"""


def script(installation, text):
    process = subprocess.Popen(
        [sys.executable, "-c", text], env=installation.environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )  # fmt: skip
    assert process.stdout.readline() == "ready\n", process.stderr.read()[-2000:]
    return process


def outcome(process):
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err[-2000:]
    return json.loads(out.splitlines()[-1])


def killed_again_and_again(installation, chance):
    """Kill the re-encryption while it works: a random moment after a random one of its stages has begun (told on stderr)."""
    for _ in range(KILLS):
        process = installation.start("keys", "reencrypt", "--by", "keeper")
        begun = chance.randint(1, 4)
        for line in process.stderr:
            begun -= line.endswith("…\n")
            if begun == 0:
                time.sleep(chance.uniform(0.0, 0.3))
                break
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def old_keys(listed):
    """Names of the keys that only open, and of the key-encryption keys that wrap nothing new."""
    old = [k for k in listed["keys"] if k["state"] == "opening" and k["purpose"] != "blind:idempotency"]
    return [str(k["id"]) for k in old] + [name for name, is_now in listed["key_encryption_keys"].items() if not is_now]


def destroy_old_keys(installation):
    """As an administrator does it: whoever may still be writing with a key is waited for, as the refusal says (KEYS-004)."""
    for _ in range(4):
        time.sleep(62)
        old = old_keys(json.loads(installation.wanjia("keys", "list", "--format", "json")))
        process = installation.start("keys", "destroy", *old, "--by", "keeper")
        _out, err = process.communicate(timeout=600)
        if process.returncode == 0:
            return
        assert "KEYS-004" in err, err[-2000:]
    raise AssertionError("somebody writes with an old key for four minutes")


def test_keys_rotate_under_load_and_nobody_notices(installation):
    installation.run()
    subprocess.run([sys.executable, "-c", KEEPER], env=installation.environment, check=True)
    # held for the whole test: the embedded server must not stop between commands
    worker, sequencer = installation.start("worker"), installation.start("trace", "sequence")
    reader, pusher = script(installation, READ), script(installation, PUSH)
    chance = random.Random(SEED)
    try:
        for suite in ("aes-256-gcm", "sm4-gcm"):
            # the log's own keys are announced the first time and in force the second
            installation.wanjia("keys", "rotate", *PURPOSES, "blind:idempotency", "trace-log", "--by", "keeper")
            if suite == "sm4-gcm":
                installation.wanjia("keys", "rotate", "vault", "lake", "quarantine", "--suite", suite, "--by", "keeper")
            killed_again_and_again(installation, chance)
            report = json.loads(
                installation.wanjia("keys", "reencrypt", "--format", "json", "--by", "keeper", ends=(0, 3))
            )
            assert set(report["left"]) <= {"intake_push.idempotency_key"}
        listed = json.loads(installation.wanjia("keys", "list", "--format", "json"))
        assert [one["state"] for one in listed["log_keys"]] == ["former", "current"]
        assert len(old_keys(listed)) >= 2 * (len(PURPOSES) - 1)
        destroy_old_keys(installation)
        time.sleep(3)
    finally:
        read, pushed = outcome(reader), outcome(pusher)
        worker.send_signal(signal.SIGTERM)
        worker.communicate(timeout=60)
    print(f"{read['done']} reads, {pushed['done']} pushes")
    assert (read["failed"], pushed["failed"]) == ([], [])
    assert read["done"] > 1000
    assert pushed["done"] > 100
    installation.wanjia("run", ends=(0, 3))
    installation.wanjia("register", "rebuild", "--check", ends=(0,))
    sources = [json.loads(line) for line in installation.wanjia("intake", "list", "--format", "ndjson").splitlines()]
    landed = sum(
        d["rows_in"] or 0 for d in sources if d["source"] == "death_certificates" and d["status"] == "standardised"
    )
    assert landed == pushed["done"], "each push is in the register once"
    # what the last commands wrote is published within seconds
    time.sleep(5)
    sequencer.send_signal(signal.SIGTERM)
    sequencer.communicate(timeout=60)
    installation.wanjia("trace", "self-check", ends=(0,))
