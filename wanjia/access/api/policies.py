"""The texts behind the hashes in the trace: kept for good, so that a decision of years ago can be read as it was made."""

from django.db import transaction

from wanjia.access.api.deciding import book
from wanjia.access.models import PolicyText
from wanjia.trace import api as trace


@transaction.atomic
def keep_policies(*, by: str, why: str) -> list[str]:
    """Keep the texts of the policies in force that are not kept yet; returns their ids. A change of policy is traced by that."""
    declared = book()
    kept = set(PolicyText.objects.values_list("policy", "hash"))
    fresh = [name for name, hashed in declared.hashes.items() if (name, hashed) not in kept]
    if fresh:
        PolicyText.objects.bulk_create(
            [PolicyText(policy=name, hash=declared.hashes[name], text=declared.texts[name]) for name in fresh]
        )
        trace.record("access.keep_policies", by=by, why=why, detail={name: declared.hashes[name] for name in fresh})
    return fresh


def policy_text(policy: str, hashed: str) -> str | None:
    """The text of a policy as the trace names it (id and hash), or None."""
    return PolicyText.objects.filter(policy=policy, hash=hashed).values_list("text", flat=True).first()
