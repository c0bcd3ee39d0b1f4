"""A checker that others wrote (aics-tlog, test only) accepts what we make, and refuses what we spoil."""

import random

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

from tests.unit.trace.test_tree import LEAVES, Log
from wanjia.trace.adapters.signer import Signer
from wanjia.trace.rules.note import COSIGNED_ED25519, Checkpoint, Key, cosign, joined
from wanjia.trace.rules.tiles import TileName

pytestmark = pytest.mark.heavy


def test_it_accepts_300_of_our_proofs():
    import aics_tlog

    chance = random.Random(3)
    log = Log()
    log.add(LEAVES)
    for _ in range(150):
        size = chance.randrange(1, 700)
        index, old = chance.randrange(size), chance.randrange(size + 1)
        tree, root, before = log.tree(size), log.tree(size).root(), log.tree(old).root()
        assert aics_tlog.verify_inclusion(LEAVES[index], index, size, tree.inclusion(index), root)
        assert aics_tlog.verify_consistency(old, size, before, root, tree.consistency(old))
        assert not aics_tlog.verify_inclusion(LEAVES[index], index, size, tree.inclusion(index), LEAVES[0])
        assert not (old and aics_tlog.verify_consistency(old, size, LEAVES[0], root, tree.consistency(old)))


def test_it_accepts_our_notes_and_cosignatures():
    import aics_tlog

    secret, witness = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    signer = Signer("example.com/log", secret, MLDSA44PrivateKey.generate())
    head = Checkpoint(signer.origin, 700, LEAVES[1])
    note = joined(signer.sign(head, 1_700_000_000), [cosign(head, "library.example/w", witness, 1_700_000_001)])
    theirs = aics_tlog.parse_note(note.whole)
    key = Key("library.example/w", COSIGNED_ED25519, witness.public_key().public_bytes_raw())
    found = aics_tlog.verify_checkpoint(
        theirs, aics_tlog.parse_vkey(signer.keys[0].vkey), [aics_tlog.parse_vkey(key.vkey)], quorum=1
    )
    assert found.ok
    changed = aics_tlog.parse_note(note.whole.replace("\n700\n", "\n701\n"))
    assert not aics_tlog.verify_checkpoint(
        changed, aics_tlog.parse_vkey(signer.keys[0].vkey), [aics_tlog.parse_vkey(key.vkey)], quorum=1
    ).ok


def test_it_reads_our_tiles():
    import aics_tlog

    log = Log()
    log.add(LEAVES)
    tiles = {TileName(level, index, len(tile) // 32).path: tile for (level, index), tile in log.tiles.items()}

    class Reader(aics_tlog.MemoryTileReader):
        def __init__(self):
            super().__init__(tiles)

    assert aics_tlog.tree_root_from_tiles(Reader(), 700) == log.tree().root()
    assert aics_tlog.inclusion_proof_from_tiles(Reader(), 600, 700) == log.tree().inclusion(600)
    assert aics_tlog.consistency_proof_from_tiles(Reader(), 300, 700) == log.tree().consistency(300)
