"""The profile in force is read once, and again when one of its files changed: soon, not at each question."""

import os
import shutil

import pytest

from wanjia.kernel.declared import DeclarationErrors
from wanjia.kernel.settings import PROJECT_ROOT
from wanjia.standards import api as standards


@pytest.fixture
def folder(tmp_path, monkeypatch):
    copy = tmp_path / "febrl"
    shutil.copytree(PROJECT_ROOT / "declared" / "febrl", copy)
    monkeypatch.setenv("WANJIA_DECLARED", str(copy))
    monkeypatch.setenv("WANJIA_HOME", str(tmp_path / "home"))
    return copy


def rewrite(file, text):
    moment = file.stat().st_mtime_ns
    file.write_text(text)
    # also where the file system's clock is coarse
    os.utime(file, ns=(moment + 1_000_000_000, moment + 1_000_000_000))


def renamed(folder):
    file = folder / "profile.toml"
    rewrite(file, file.read_text().replace('en = "FEBRL public data sets (Australia)"', 'en = "Another name"'))


def test_a_change_is_seen_after_a_while_and_at_once_by_who_names_the_folder(folder, monkeypatch):
    before = standards.load_profile()
    assert before.file.name.en == "FEBRL public data sets (Australia)"
    renamed(folder)
    assert standards.load_profile() is before
    assert standards.load_profile(folder).file.name.en == "Another name"
    assert standards.load_profile().file.name.en == "Another name", "whoever looked looked for all"
    (folder / "profile.toml").unlink()
    monkeypatch.setattr(standards, "LOOK_AGAIN_SECONDS", 0.0)
    with pytest.raises(DeclarationErrors):
        standards.load_profile()


def test_a_new_file_is_a_change_and_a_source_is_none(folder):
    before = standards.load_profile(folder)
    rewrite(next((folder / "sources").glob("*.toml")), "")
    assert standards.load_profile(folder) is before
    (folder / "elements" / "broken.toml").write_text("code =")
    with pytest.raises(DeclarationErrors):
        standards.load_profile(folder)


def test_a_change_of_divisions_that_was_carried_out_is_seen_at_once(folder):
    before = standards.load_profile()
    assert standards.load_profile() is before
    changes = standards.changes_folder()
    changes.mkdir(parents=True)
    (changes / "broken.toml").write_text("code =")
    with pytest.raises(DeclarationErrors):
        standards.load_profile()
