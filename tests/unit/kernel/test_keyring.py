"""Sealing: standard vectors, binding to a place, rotation, and what happens when a key is gone."""

import json

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from wanjia.kernel.errors import KeyUnavailable
from wanjia.kernel.keyring import Keyring
from wanjia.kernel.suites import AES_256_GCM, SM4_GCM, Sm4Gcm


def test_sm4_gcm_gives_the_published_vector():
    """RFC 8998 appendix A.1."""
    key = bytes.fromhex("0123456789ABCDEFFEDCBA9876543210")
    nonce = bytes.fromhex("00001234567800000000ABCD")
    aad = bytes.fromhex("FEEDFACEDEADBEEFFEEDFACEDEADBEEFABADDAD2")
    plain = bytes.fromhex(
        "AAAAAAAAAAAAAAAABBBBBBBBBBBBBBBBCCCCCCCCCCCCCCCCDDDDDDDDDDDDDDDD"
        "EEEEEEEEEEEEEEEEFFFFFFFFFFFFFFFFEEEEEEEEEEEEEEEEAAAAAAAAAAAAAAAA"
    )
    sealed = Sm4Gcm(key).encrypt(nonce, plain, aad)
    assert sealed[-16:] == bytes.fromhex("83DE3541E4C2B58177E065A9BF7B62EC")
    assert Sm4Gcm(key).decrypt(nonce, sealed, aad) == plain


@pytest.mark.parametrize("suite", [AES_256_GCM, SM4_GCM])
def test_what_is_sealed_opens_in_its_place_only(tmp_path, suite):
    ring = Keyring.open(tmp_path, suite)
    blob = ring.seal("vault", "张三".encode(), b"person|7|1")
    assert ring.unseal("vault", blob, b"person|7|1") == "张三".encode()
    for purpose, aad in (("vault", b"person|8|1"), ("lake", b"person|7|1")):
        with pytest.raises(KeyUnavailable):
            ring.unseal(purpose, blob, aad)
    with pytest.raises(KeyUnavailable):
        ring.unseal("vault", blob[:10], b"person|7|1")


@pytest.mark.parametrize("suite", [AES_256_GCM, SM4_GCM])
@pytest.mark.parametrize("size", [0, 1, 100_000])
def test_what_is_sealed_into_a_room_is_a_blob_like_any_other(tmp_path, suite, size):
    sealer = Keyring.open(tmp_path, suite=suite).sealer("lake")
    plain, room = bytes(range(256)) * 391, memoryview(bytearray(200_000))
    plain = plain[:size]
    blob = bytes(sealer.seal_into(room, memoryview(plain), b"place"))
    assert sealer.unseal(blob, b"place") == plain
    assert sealer.unseal_into(room, memoryview(sealer.seal(plain, b"place")), b"place") == plain
    for wrong in (blob[:-1], blob[:20], blob[:-1] + bytes([blob[-1] ^ 1])):
        with pytest.raises(KeyUnavailable):
            sealer.unseal_into(room, memoryview(wrong), b"place")
    with pytest.raises(KeyUnavailable):
        sealer.unseal_into(room, memoryview(blob), b"elsewhere")


def test_old_blobs_open_after_rotation_and_in_a_process_that_read_the_ring_before(tmp_path):
    early = Keyring(tmp_path)
    old = early.seal("vault", b"before", b"")
    late = Keyring(tmp_path)
    late.rotate("vault")
    new = late.seal("vault", b"after", b"")
    assert old[:5] != new[:5]
    assert late.unseal("vault", old, b"") == b"before"
    assert early.unseal("vault", new, b"") == b"after"


def test_many_are_hashed_and_sealed_as_one_is(tmp_path):
    ring = Keyring.open(tmp_path)
    values = ["张三", "", "x" * 200]
    key = ring.blinder("name")
    assert key.blind_many(value.encode() for value in values) == b"".join(key.blind(value) for value in values)
    sealer = ring.sealer("vault")
    sealed = sealer.seal_many([value.encode() for value in values], [b"%d" % n for n in range(3)])
    assert [sealer.unseal(blob, b"%d" % n).decode() for n, blob in enumerate(sealed)] == values
    assert len({blob[5:17] for blob in sealed}) == 3, "no nonce is used twice"
    with pytest.raises(KeyUnavailable):
        sealer.unseal(sealed[0], b"1")


def test_blind_indexes_meet_only_for_equal_values_of_one_purpose(tmp_path):
    ring = Keyring.open(tmp_path)
    assert ring.blind("name", "张三") == Keyring.open(tmp_path).blind("name", "张三")
    assert len({ring.blind("name", "张三"), ring.blind("name", "张四"), ring.blind("number", "张三")}) == 3


def test_no_key_is_in_clear_in_the_ring_file_and_files_are_private(tmp_path):
    ring = Keyring.open(tmp_path)
    ring.seal("vault", b"x", b"")
    kek = (tmp_path / "keys" / "kek").read_bytes()
    [entry] = json.loads((tmp_path / "keys" / "keyring.json").read_text())["keys"]
    wrapped = bytes.fromhex(entry["wrapped"])
    secret = AESGCM(kek).decrypt(wrapped[:12], wrapped[12:], b"wanjia-keyring|1|vault")
    assert secret.hex() not in (tmp_path / "keys" / "keyring.json").read_text()
    for name in ("kek", "keyring.json"):
        assert (tmp_path / "keys" / name).stat().st_mode & 0o077 == 0


def test_a_lost_or_wrong_key_encryption_key_is_said_not_replaced(tmp_path):
    Keyring.open(tmp_path).seal("vault", b"x", b"")
    kek = tmp_path / "keys" / "kek"
    kek.write_bytes(b"0" * 32)
    with pytest.raises(KeyUnavailable):
        Keyring(tmp_path / "keys").sealer("vault")
    kek.unlink()
    with pytest.raises(KeyUnavailable, match="gone"):
        Keyring(tmp_path / "keys")
