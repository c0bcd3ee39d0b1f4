"""Notes, cosignatures and receipts: C2SP's own examples, and that no byte of a receipt can be changed. In Python and in the browser's JavaScript."""

import base64
import json
import random
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

from tests.unit.trace.test_tree import LEAVES, Log
from wanjia.trace.adapters.signer import Signer
from wanjia.trace.rules.entry import canonical, commitment
from wanjia.trace.rules.note import (
    COSIGNED_ED25519,
    COSIGNED_MLDSA44,
    Checkpoint,
    Key,
    Note,
    cosign,
    joined,
    parse_checkpoint,
    parse_note,
    parse_vkey,
    verified,
)
from wanjia.trace.rules.receipt import Receipt, checked, parse_receipt
from wanjia.trace.rules.tree import ProofWrong, is_consistent, is_included, leaf_hash

ROOT = Path(__file__).parents[3]
CHECKER = ROOT / "wanjia/web/static/wanjia/trace-verifier.js"
NODE = Path(sys.executable).parent / "node"

# https://c2sp.org/signed-note, its example
EXAMPLE_KEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
EXAMPLE = (
    "This is an example message.\n\n— example.com/foo"
    " Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
)
ENTRY = {
    "id": 7, "at": datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC), "kind": "privacy.open_person", "actor": "officer", "department": "health",
    "purpose": "certificate:A-1", "basis": "办事", "subject": 4711, "reach": 0, "detail": {"fields": ["GA02"]},
}  # fmt: skip


class Node:
    """The JavaScript checker, asked line by line."""

    def __init__(self) -> None:
        driver = Path(__file__).with_name("verifier.mjs")
        self._process = subprocess.Popen(
            [str(NODE), "--disable-warning=MODULE_TYPELESS_PACKAGE_JSON", str(driver), str(CHECKER)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, *requests: dict) -> list[dict]:
        """The answers: {"holds": …} or {"refused": why}."""
        answers = []
        for start in range(0, len(requests), 50):
            some = requests[start : start + 50]
            self._process.stdin.write("".join(json.dumps(one) + "\n" for one in some))
            self._process.stdin.flush()
            answers += [json.loads(self._process.stdout.readline()) for _ in some]
        assert not [one for one in answers if "failed" in one]
        return answers

    def close(self) -> None:
        self._process.stdin.close()
        assert self._process.wait(10) == 0


@pytest.fixture(scope="module")
def node():
    process = Node()
    yield process
    process.close()


@pytest.fixture(scope="module")
def signer():
    return Signer("example.com/log", Ed25519PrivateKey.generate(), MLDSA44PrivateKey.generate())


@pytest.fixture(scope="module")
def witness():
    return Ed25519PrivateKey.generate(), MLDSA44PrivateKey.generate()


@pytest.fixture(scope="module")
def witness_keys(witness):
    classic, lattice = witness
    return [
        Key("library.example/w", COSIGNED_ED25519, classic.public_key().public_bytes_raw()),
        Key("library.example/w", COSIGNED_MLDSA44, lattice.public_key().public_bytes_raw()),
    ]


@pytest.fixture(scope="module")
def receipt(signer, witness):
    """A receipt of the entry at place 123 of 300, signed and cosigned by all four keys."""
    nonce, entry = bytes(range(32)), canonical(ENTRY)
    log = Log()
    log.add([*LEAVES[:123], leaf_hash(commitment(nonce, entry)), *LEAVES[124:300]])
    head = Checkpoint(signer.origin, 300, log.tree().root())
    note = signer.sign(head, 1_700_000_000)
    note = joined(note, [cosign(head, "library.example/w", secret, 1_700_000_001) for secret in witness])
    return Receipt(nonce, entry, 123, tuple(log.tree().inclusion(123)), note)


def test_the_specifications_example(node):
    note = parse_note(EXAMPLE)
    assert verified(note, [parse_vkey(EXAMPLE_KEY)])
    assert note.whole == EXAMPLE
    assert parse_vkey(EXAMPLE_KEY).vkey == EXAMPLE_KEY
    for wrong in (EXAMPLE.replace("example message", "example messagE"), EXAMPLE.replace("Uw2Q", "Uw2R")):
        with pytest.raises(ProofWrong):
            verified(parse_note(wrong), [parse_vkey(EXAMPLE_KEY)])


def test_canonical_entries_are_the_same_bytes_for_ever():
    assert canonical(ENTRY).decode() == (
        '{"actor":"officer","at":"2026-01-02T03:04:05.000006Z","basis":"办事","department":"health","detail":{"fields":["GA02"]},"id":7,'
        '"kind":"privacy.open_person","purpose":"certificate:A-1","reach":0,"subject":4711,"v":1}'
    )


def test_all_four_signatures_verify(receipt, signer, witness_keys):
    keys = [*signer.keys, *witness_keys]
    assert checked(parse_receipt(receipt.whole), origin=signer.origin, keys=keys).size == 300
    assert parse_receipt(receipt.whole) == receipt
    assert [parse_vkey(key.vkey) for key in keys] == keys
    stranger = Key("stranger.example", COSIGNED_ED25519, witness_keys[0].public)
    with pytest.raises(ProofWrong, match="did not sign"):
        verified(receipt.note, [*signer.keys, stranger])
    with pytest.raises(ProofWrong, match="no key"):
        verified(receipt.note, [])


def only_classic(receipt: Receipt) -> Receipt:
    """The receipt without its ML-DSA-44 lines, which a browser cannot check."""
    classic = tuple(one for one in receipt.note.signatures if len(one.content) < 100)
    return Receipt(receipt.nonce, receipt.entry, receipt.index, receipt.proof, Note(receipt.note.text, classic))


@pytest.mark.parametrize("is_whole", [False, pytest.param(True, marks=pytest.mark.heavy)])
def test_no_byte_of_a_receipt_can_be_changed(receipt, signer, witness_keys, is_whole):
    keys, chance = [*signer.keys, *witness_keys], random.Random(1)
    if not is_whole:
        keys, receipt = [signer.keys[0], witness_keys[0]], only_classic(receipt)
    content = receipt.whole.encode()
    accepted = []
    for at in range(len(content)):
        changed = bytearray(content)
        changed[at] ^= chance.randrange(1, 256)
        try:
            checked(parse_receipt(changed.decode()), origin=signer.origin, keys=keys)
            accepted.append(at)
        except (ProofWrong, UnicodeDecodeError):
            pass
    assert accepted == []


def test_no_byte_of_a_receipt_can_be_changed_in_the_browser(node, receipt, signer, witness_keys):
    # what a browser can check: the Ed25519 lines; ML-DSA lines it passes over
    classic = [one for one in receipt.note.signatures if len(one.content) < 100]
    content = Receipt(
        receipt.nonce, receipt.entry, receipt.index, receipt.proof, Note(receipt.note.text, tuple(classic))
    ).whole
    asked = {"do": "receipt", "keys": [signer.keys[0].vkey], "witnesses": [witness_keys[0].vkey]}
    assert node.ask({**asked, "receipt": content})[0]["holds"]["subject"] == 4711
    assert node.ask({**asked, "receipt": receipt.whole})[0]["holds"]["department"] == "health"
    for signs in ("A", "\n"):
        changes = [content[:at] + signs + content[at + 1 :] for at in range(len(content)) if content[at] != signs]
        answers = node.ask(*({**asked, "receipt": change} for change in changes))
        assert not [change for change, answer in zip(changes, answers, strict=True) if "holds" in answer]


@pytest.mark.parametrize("change", ["index 123", "\n300\n", "example.com/log\n300"])
def test_index_size_and_origin_are_bound(receipt, signer, change):
    other = {"index 123": "index 122", "\n300\n": "\n301\n", "example.com/log\n300": "example.com/lag\n300"}[change]
    with pytest.raises(ProofWrong):
        checked(parse_receipt(receipt.whole.replace(change, other)), origin=signer.origin, keys=signer.keys)


def test_both_checkers_agree_on_every_proof(node):
    log, chance = Log(), random.Random(2)
    log.add(LEAVES[:600])

    def text(*hashes: bytes) -> list[str]:
        return [base64.b64encode(one).decode() for one in hashes]

    requests, expected = [], []
    for number in range(400):
        size = chance.randrange(1, 600)
        index, old = chance.randrange(size), chance.randrange(size + 1)
        tree = log.tree(size)
        proof, growth = tree.inclusion(index), tree.consistency(old)
        leaf, root, before = LEAVES[index], tree.root(), log.tree(old).root()
        if number % 2:
            # a lie: a hash, the size, the place or the length is another
            lie = chance.randrange(4)
            proof = [LEAVES[0], *proof[1:]] if lie == 0 and proof else [*proof, root]
            growth = [LEAVES[0], *growth[1:]] if lie == 0 and growth else [*growth, root]
            size += lie == 1
            index = max(0, index - (lie == 2))
        (leaf_,), (root_,), (before_,) = text(leaf), text(root), text(before)
        requests.append(
            {"do": "included", "index": index, "size": size, "leaf": leaf_, "proof": text(*proof), "root": root_}
        )
        expected.append(is_included(index, size, leaf, proof, root))
        requests.append(
            {"do": "consistent", "old": old, "now": size, "oldRoot": before_, "newRoot": root_, "proof": text(*growth)}
        )
        expected.append(is_consistent(old, size, before, root, growth))
    assert [answer["holds"] for answer in node.ask(*requests)] == expected
    assert 300 < sum(expected) < 500


def test_a_checkpoint_is_three_lines(signer):
    note = signer.sign(Checkpoint(signer.origin, 5, b"\1" * 32), 1)
    assert parse_checkpoint(parse_note(note.whole)).size == 5
    for wrong in (
        note.text + "extension\n", note.text.replace("\n5\n", "\n05\n"), note.text.replace("\n5\n", "\n-5\n"), "\n" + note.text, note.text[:-5],
    ):  # fmt: skip
        with pytest.raises(ProofWrong):
            parse_checkpoint(Note(wrong, note.signatures))
