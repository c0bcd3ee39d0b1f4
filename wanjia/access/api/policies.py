"""What decides, written down: the texts behind the hashes in the trace, kept for good, and an entry for every change of what is in force."""

from django.db import connection, transaction

from wanjia.access.adapters.policies import PolicyBook, last_written, load_book, parts_hash
from wanjia.access.api.deciding import book
from wanjia.access.models import PolicyText
from wanjia.kernel import settings
from wanjia.trace import api as trace

KIND = "access.keep_policies"
#: who is said to have changed the files when nobody gives a name
FILES = "policy-files"
TURN = 1348422729

_noted: PolicyBook | None = None


@transaction.atomic
def keep_policies(*, by: str, why: str) -> list[str]:
    """Compare what is in force (policies, roles, purposes, field groups, schema) with what the trace last said; write an entry if it changed.

    The entry says the hash of the whole before and after, what began and what ended with their hashes, and who owns the file that was written last.
    Texts of policies are kept too. Returns the names of what began or ended ("policy:…", "role:…", "purpose:…", "fields:…", "schema").
    """
    with connection.cursor() as cursor:
        # two processes that meet the same change tell of it once
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [TURN])
    # the files as they are now: by what it read two seconds ago a process would tell that another's change was taken back
    declared = load_book(settings.profile_dir())
    before = in_force()
    now = declared.parts
    if before == now:
        return []
    kept = set(PolicyText.objects.values_list("policy", "hash"))
    PolicyText.objects.bulk_create(
        PolicyText(policy=name, hash=hashed, text=declared.texts[name])
        for name, hashed in declared.hashes.items()
        if (name, hashed) not in kept
    )
    begun = {name: hashed for name, hashed in now.items() if before.get(name) != hashed}
    ended = {name: hashed for name, hashed in before.items() if now.get(name) != hashed}
    detail = {
        "old": parts_hash(before) if before else None,
        "new": parts_hash(now),
        "begun": begun,
        "ended": ended,
        "in_force": now,
        "last_written": last_written(),
    }
    trace.record(KIND, by=by, why=why, detail=detail)
    return sorted({*begun, *ended})


def note_policies() -> None:
    """See that the trace knows what is in force, before anything is decided by it. Costs nothing while it is what this process saw last."""
    global _noted
    declared = book()
    if declared is not _noted:
        keep_policies(by=FILES, why="changed while running")
        _noted = declared


def in_force() -> dict[str, str]:
    """What is in force as the trace last said: name → hash; empty when it never did."""
    for entry in trace.entries(kind=KIND, limit=1):
        return entry["detail"].get("in_force", {})
    return {}


def policy_text(policy: str, hashed: str) -> str | None:
    """The text of a policy as the trace names it (id and hash), or None."""
    return PolicyText.objects.filter(policy=policy, hash=hashed).values_list("text", flat=True).first()
