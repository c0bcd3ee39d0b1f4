"""The door of documents."""

from wanjia.documents.api.checking import (
    Checked,
    certificates,
    check,
    ensure_test_chain,
    is_whole,
    listed_as,
    revocation_list,
)
from wanjia.documents.api.ending import (
    confirm_revocation,
    erase_person,
    in_force_of,
    refuse_revocation,
    revoke,
)
from wanjia.documents.api.holding import StepTold, Told, file_of, of_person, shown, waiting
from wanjia.documents.api.issuing import SIGNS_FOR, check_address, issue, preview, reissue
from wanjia.documents.api.keyed import KEYED
from wanjia.documents.api.kinds import Declared, coverage, declared, fonts_here
from wanjia.documents.rules.content import LANGUAGES
from wanjia.documents.rules.lifecycle import REISSUE_REASONS, Reason, State
from wanjia.documents.rules.numbers import grouped

__all__ = [
    "KEYED",
    "LANGUAGES",
    "REISSUE_REASONS",
    "SIGNS_FOR",
    "Checked",
    "Declared",
    "Reason",
    "State",
    "StepTold",
    "Told",
    "certificates",
    "check",
    "check_address",
    "confirm_revocation",
    "coverage",
    "declared",
    "ensure_test_chain",
    "erase_person",
    "file_of",
    "fonts_here",
    "grouped",
    "in_force_of",
    "is_whole",
    "issue",
    "listed_as",
    "of_person",
    "preview",
    "refuse_revocation",
    "reissue",
    "revocation_list",
    "revoke",
    "shown",
    "waiting",
]
