"""The door of the trace. It imports no table, so that checking a log and running a witness need no database (see README)."""

from wanjia.trace.api.exporting import export, public_folder
from wanjia.trace.api.gate import confirm, is_open, shut_because
from wanjia.trace.api.keyed import KEYED
from wanjia.trace.api.log import (
    PublicFile,
    checkpoint,
    consistency_proof,
    gaps,
    head,
    inclusion_proof,
    opening,
    public_file,
    receipt,
)
from wanjia.trace.api.reading import (
    LeftOut,
    is_about,
    kept_since,
    last_used,
    months_of,
    published_after,
    who_looked,
)
from wanjia.trace.api.recording import Sealed, erase, explained, record, record_job, said_of
from wanjia.trace.api.restoring import reopen
from wanjia.trace.api.rolling import SigningKeys, announce_keys, signing_keys, take_up_keys
from wanjia.trace.api.sealing import open_due, open_early, sealed_counts, seals
from wanjia.trace.api.searching import (
    COUNTED,
    Found,
    Wanted,
    departments,
    entries,
    entries_by_id,
    kinds,
    purposes,
    search,
)
from wanjia.trace.api.self_check import (
    Health,
    LastCheck,
    ask_check,
    check_if_asked,
    health,
    last_check,
    sample_check,
    self_check,
)
from wanjia.trace.api.sequencing import Sequencer
from wanjia.trace.api.witnessing import Cosigning

__all__ = [
    "COUNTED",
    "KEYED",
    "Cosigning",
    "Found",
    "Health",
    "LastCheck",
    "LeftOut",
    "PublicFile",
    "Sealed",
    "Sequencer",
    "SigningKeys",
    "Wanted",
    "announce_keys",
    "ask_check",
    "check_if_asked",
    "checkpoint",
    "confirm",
    "consistency_proof",
    "departments",
    "entries",
    "entries_by_id",
    "erase",
    "explained",
    "export",
    "gaps",
    "head",
    "health",
    "inclusion_proof",
    "is_about",
    "is_open",
    "kept_since",
    "kinds",
    "last_check",
    "last_used",
    "months_of",
    "open_due",
    "open_early",
    "opening",
    "public_file",
    "public_folder",
    "published_after",
    "purposes",
    "receipt",
    "record",
    "record_job",
    "reopen",
    "said_of",
    "sample_check",
    "sealed_counts",
    "seals",
    "search",
    "self_check",
    "shut_because",
    "signing_keys",
    "take_up_keys",
    "who_looked",
]
