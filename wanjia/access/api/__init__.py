"""The door to access: accounts, who may what, decisions about persons."""

from wanjia.access.adapters.hashing import random_secret
from wanjia.access.adapters.second_factors import SealedSeeds, open_text, seal_text
from wanjia.access.api.accounts import (
    DemoAccount,
    account_named,
    account_of_person,
    bind_resident,
    choose_language,
    choose_text_size,
    close_account,
    make_demo_accounts,
    open_account,
    random_password,
    staff_accounts,
    unbind_resident,
)
from wanjia.access.api.deciding import (
    SearchScope,
    book,
    decide,
    decide_many,
    may,
    purposes_of,
    require,
    require_decision,
    require_purpose,
    search_scope,
)
from wanjia.access.api.grants import (
    SEALED_REASONS,
    Told,
    break_glass,
    grant_person,
    mark_seen,
    may_break_glass,
    notices,
    notices_about,
    revoke_grant,
    unseen,
)
from wanjia.access.api.machines import NewClient, close_client, forget_ended, machine_of, open_client, open_machine
from wanjia.access.api.policies import keep_policies, policy_text
from wanjia.access.api.tallies import count_failure, forget_failures, lift_lock, locked_until
from wanjia.access.api.walls import raise_wall, reading_for
from wanjia.access.rules import Action, Decision, Right, Subject, covers, significant

#: what must be made again when a key rotates (kernel/sealed_stores.py)
KEYED = (SealedSeeds(), SEALED_REASONS)

__all__ = [
    "KEYED",
    "Action",
    "Decision",
    "DemoAccount",
    "NewClient",
    "Right",
    "SearchScope",
    "Subject",
    "Told",
    "account_named",
    "account_of_person",
    "bind_resident",
    "book",
    "break_glass",
    "choose_language",
    "choose_text_size",
    "close_account",
    "close_client",
    "count_failure",
    "covers",
    "decide",
    "decide_many",
    "forget_ended",
    "forget_failures",
    "grant_person",
    "keep_policies",
    "lift_lock",
    "locked_until",
    "machine_of",
    "make_demo_accounts",
    "mark_seen",
    "may",
    "may_break_glass",
    "notices",
    "notices_about",
    "open_account",
    "open_client",
    "open_machine",
    "open_text",
    "policy_text",
    "purposes_of",
    "raise_wall",
    "random_password",
    "random_secret",
    "reading_for",
    "require",
    "require_decision",
    "require_purpose",
    "revoke_grant",
    "seal_text",
    "search_scope",
    "significant",
    "staff_accounts",
    "unbind_resident",
    "unseen",
]
