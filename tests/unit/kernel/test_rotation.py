"""Keys replaced, wrapped anew and destroyed: what opens before opens after, until it must not."""

import json
import os
import subprocess
import sys

import pytest

from wanjia.kernel import sealing
from wanjia.kernel.errors import KeyUnavailable
from wanjia.kernel.keyring import Keyring
from wanjia.kernel.lake import FRAME_BYTES, Lake
from wanjia.kernel.ring_file import RingFile
from wanjia.kernel.suites import SM4_GCM

HSM_MODULE = "/usr/lib/softhsm/libsofthsm2.so"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "keys").mkdir()
    return tmp_path / "keys"


@pytest.fixture
def impatient(monkeypatch):
    """Everybody looks at the ring each time."""
    monkeypatch.setattr(sealing, "LOOK_SECONDS", 0.0)


def test_a_long_lived_sealer_follows_a_rotation(folder, impatient):
    worker = Keyring(folder).sealer("vault")
    old = worker.seal(b"before", b"")
    new_id = Keyring(folder).rotate("vault")
    new = worker.seal(b"after", b"")
    assert int.from_bytes(new[1:5], "big") == new_id
    assert [worker.unseal(blob, b"") for blob in (old, new)] == [b"before", b"after"]


def test_a_sealer_looks_only_now_and_then(folder):
    worker = Keyring(folder).sealer("vault")
    before = worker.head
    Keyring(folder).rotate("vault")
    assert worker.seal(b"x", b"")[:5] == before


def test_rotation_to_sm4_and_back(folder):
    ring = Keyring(folder)
    blobs = [ring.seal("vault", b"aes", b"")]
    ring.rotate("vault", SM4_GCM)
    blobs.append(ring.seal("vault", b"sm4", b""))
    assert blobs[1][0] == SM4_GCM
    ring.rotate("vault")
    assert ring.seal("vault", b"", b"")[0] == SM4_GCM, "a rotation keeps the suite unless told otherwise"
    assert [ring.unseal("vault", blob, b"") for blob in blobs] == [b"aes", b"sm4"]


def test_a_new_installation_may_choose_sm4(folder, monkeypatch):
    monkeypatch.setenv("WANJIA_CIPHER", "sm4-gcm")
    assert Keyring(folder).seal("vault", b"", b"")[0] == SM4_GCM
    monkeypatch.setenv("WANJIA_CIPHER", "rot13")
    with pytest.raises(KeyUnavailable, match="WANJIA_CIPHER"):
        Keyring(folder)


def test_a_new_key_encryption_key_wraps_everything(folder):
    ring, other = Keyring(folder), Keyring(folder)
    blob, hashed = ring.seal("vault", b"x", b""), ring.blind("name", "张三")
    other.seal("vault", b"y", b"")
    assert ring.rotate_kek() == "file:kek-2"
    assert {key.kek for key in ring.listed()} == {"file:kek-2"}
    with pytest.raises(KeyUnavailable, match="in use"):
        ring.destroy_kek("file:kek-2")
    ring.destroy_kek("file:kek")
    assert not (folder / "kek").exists()
    fresh = Keyring(folder)
    assert (fresh.unseal("vault", blob, b""), fresh.blind("name", "张三")) == (b"x", hashed)
    # a process that read the ring before, and had not unwrapped this key yet
    assert other.blind("name", "张三") == hashed


def test_a_key_encryption_key_made_for_nothing_does_no_harm(folder, monkeypatch):
    ring = Keyring(folder)
    blob = ring.seal("vault", b"x", b"")
    before = (folder / "keyring.json").read_bytes()

    def killed(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(RingFile, "_write", killed)
    with pytest.raises(KeyboardInterrupt):
        ring.rotate_kek()
    monkeypatch.undo()
    assert (folder / "keyring.json").read_bytes() == before
    assert Keyring(folder).unseal("vault", blob, b"") == b"x"
    assert ring.keks() == ["file:kek", "file:kek-2"]
    assert ring.rotate_kek() == "file:kek-3"
    ring.destroy_kek("file:kek-2")


def test_only_an_old_key_is_destroyed_and_then_it_opens_nothing(folder, impatient):
    ring = Keyring(folder)
    blob = ring.seal("vault", b"x", b"")
    sealer = ring.sealer("vault")
    with pytest.raises(KeyUnavailable):
        ring.destroy(1)
    ring.rotate("vault")
    sealer.seal(b"", b"")
    ring.destroy(1)
    for reader in (ring, Keyring(folder)):
        with pytest.raises(KeyUnavailable, match="not in the keyring"):
            reader.unseal("vault", blob, b"")
    assert [key.state for key in ring.listed()] == ["destroyed", "current"]
    assert "wrapped" not in json.loads((folder / "keyring.json").read_text())["keys"][0]
    with pytest.raises(KeyUnavailable):
        ring.destroy(1)


def test_two_blind_keys_stand_side_by_side(folder):
    ring = Keyring(folder)
    old = ring.blind("name", "张三")
    ring.rotate("blind:name")
    new = ring.blind("name", "张三")
    assert old != new
    assert [key.blind("张三") for key in ring.blinders("name")] == [new, old]
    ring.destroy(1)
    assert [key.blind("张三") for key in ring.blinders("name")] == [new]


def test_a_ring_of_the_first_form_is_read_and_rotates(folder):
    ring = Keyring(folder)
    blob = ring.seal("vault", b"x", b"")
    [entry] = json.loads((folder / "keyring.json").read_text())["keys"]
    first_form = [{name: entry[name] for name in ("id", "purpose", "suite", "wrapped")}]
    (folder / "keyring.json").write_text(json.dumps(first_form))
    old = Keyring(folder)
    assert old.unseal("vault", blob, b"") == b"x"
    old.rotate("vault")
    old.rotate_kek()
    assert Keyring(folder).unseal("vault", blob, b"") == b"x"


def test_many_processes_rotate_and_lose_no_key(folder):
    Keyring(folder).seal("vault", b"", b"")
    script = (
        "import sys; from pathlib import Path; from wanjia.kernel.keyring import Keyring\n"
        "ring = Keyring(Path(sys.argv[1]))\n"
        "for _ in range(10): ring.rotate('vault')"
    )
    others = [subprocess.Popen([sys.executable, "-c", script, str(folder)]) for _ in range(3)]
    assert [other.wait(60) for other in others] == [0, 0, 0]
    assert [key.id for key in Keyring(folder).listed()] == list(range(1, 32))


def test_a_lake_file_is_sealed_again_under_the_new_key(tmp_path):
    lake = Lake.open(tmp_path)
    content = os.urandom(FRAME_BYTES + 100)
    lake.write_bytes("big", content)
    assert lake.key_ids("big") == {1}
    Keyring.open(tmp_path).rotate("lake")
    fresh = Lake(tmp_path / "lake", Keyring(tmp_path / "keys"))
    assert fresh.reseal("big")
    assert (fresh.key_ids("big"), lake.read_bytes("big") == content) == ({2}, True)
    assert not list((tmp_path / "lake").glob("*.writing"))


def test_sealing_again_never_wins_over_a_writer_or_a_deleter(tmp_path, monkeypatch):
    lake = Lake.open(tmp_path)
    for name, meanwhile in (("a", lambda: lake.write_bytes("a", b"newer")), ("b", lambda: lake.delete("b"))):
        lake.write_bytes(name, b"older")
        monkeypatch.setattr(os, "fsync", lambda _, act=meanwhile: (monkeypatch.undo(), act()))
        assert not lake.reseal(name)
        monkeypatch.undo()
    assert lake.read_bytes("a") == b"newer"
    assert not lake.exists("b")
    assert not lake.reseal("never there")


HSM = """
import sys
from pathlib import Path
from wanjia.kernel.errors import KeyUnavailable
from wanjia.kernel.keyring import Keyring
import os
home = Path(sys.argv[1])
files = os.environ.pop("WANJIA_KEK")
first = Keyring(home / "keys")
blob = first.seal("vault", b"x", b"place")
os.environ["WANJIA_KEK"] = files
assert first.rotate_kek() == "pkcs11:wanjia-kek-1"
first.destroy_kek("file:kek")
assert not (home / "keys" / "kek").exists()
assert Keyring(home / "keys").unseal("vault", blob, b"place") == b"x"
assert first.rotate_kek() == "pkcs11:wanjia-kek-2"
assert first.keks() == ["pkcs11:wanjia-kek-1", "pkcs11:wanjia-kek-2"]
first.destroy_kek("pkcs11:wanjia-kek-1")
again = Keyring(home / "keys")
assert again.unseal("vault", blob, b"place") == b"x"
again.rotate("vault")
if pid := os.fork():
    assert os.waitpid(pid, 0)[1] == 0
else:
    assert Keyring(home / "keys").unseal("vault", again.seal("vault", b"y", b""), b"") == b"y"
    os._exit(0)
ring = home / "keys" / "keyring.json"
ring.write_text(ring.read_text().replace('"purpose": "vault"', '"purpose": "wrong"'))
try:
    Keyring(home / "keys").seal("wrong", b"", b"")
except KeyUnavailable as error:
    print("refused:", error.fields["reason"])
"""


@pytest.mark.skipif(not os.path.exists(HSM_MODULE), reason="apt-get install softhsm2")
def test_key_encryption_keys_may_live_in_a_token(tmp_path):
    """SoftHSM stands for any token: from file to token, rotation inside, a forked child, and a wrapped key that was renamed."""
    pytest.importorskip("pkcs11", reason="pip install 'wanjia[hsm]'")
    (tmp_path / "tokens").mkdir()
    (tmp_path / "keys").mkdir()
    (tmp_path / "pin").write_text("87654321\n")
    (tmp_path / "conf").write_text(f"directories.tokendir = {tmp_path}/tokens\n")
    environment = {
        **os.environ,
        "SOFTHSM2_CONF": str(tmp_path / "conf"),
        "WANJIA_KEK": f"pkcs11:token=wanjia?module-path={HSM_MODULE}&pin-source=file:{tmp_path}/pin",
    }
    made = ["softhsm2-util", "--init-token", "--free", "--label", "wanjia", "--so-pin", "12345678", "--pin", "87654321"]
    subprocess.run(made, env=environment, check=True, capture_output=True)
    done = subprocess.run(
        [sys.executable, "-c", HSM, str(tmp_path)], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "refused: the key-encryption key does not open the keyring\n"
