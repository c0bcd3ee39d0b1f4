"""Every word of the pages is in both languages, and templates keep to the policy of no inline code."""

import re
from pathlib import Path

import pytest

from tools import extract_messages
from wanjia.access.rules import Right
from wanjia.web import labels

TEMPLATES = sorted((extract_messages.WEB / "templates").rglob("*.html"))
CHINESE = re.compile(r"[㐀-鿿]")


def test_every_message_is_translated():
    wanted = extract_messages.messages()
    faults = [fault for path in extract_messages.catalogues() for fault in extract_messages.shortcomings(path, wanted)]
    assert not faults, "run tools/extract_messages.py, then translate:\n" + "\n".join(faults)


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda p: p.name)
def test_template_has_no_inline_code_and_no_bare_text(path: Path):
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"\sstyle=|\son[a-z]+=|<style|javascript:", text), "the policy forbids inline style and script"
    assert not re.search(r"<script(?![^>]*\bsrc=)", text), (
        "a script is a file of its own; data goes through json_script"
    )
    assert "|safe" not in text
    # the language switch names each language in that language
    assert not CHINESE.search(text.replace("<span>中文</span>", "")), "words belong into the catalogue"


def test_rights_have_words():
    assert set(labels.RIGHTS) == set(Right)


@pytest.mark.parametrize(
    ("purpose", "words"),
    [
        ("case", "Handle an application at the counter"),
        ("quality:F-12", "Answer a data quality finding · F-12"),
        ("cli", "cli"),
    ],
)
def test_purposes_in_words(purpose, words):
    from django.utils.translation import override

    with override("en"):
        assert labels.purpose_words(purpose) == words
