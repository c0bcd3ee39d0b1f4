"""Every declared kind is set with its own examples, in both languages, on the fonts a fresh installation has."""

import subprocess
from datetime import UTC, datetime

import pytest

from wanjia.documents.adapters.pdf import made
from wanjia.documents.api import LANGUAGES, declared
from wanjia.documents.api.composing import Gathered, Holder, compose
from wanjia.kernel import settings

AT = datetime(2026, 11, 21, 4, 30, tzinfo=UTC)
ISSUER = {"office": "澜江省望川市青枫区户口登记机关", "officer": "承办人甲"}


def composed(key: str, persons: list[dict], lang: str, **more):
    kind = declared().kinds[key]
    holder = Holder(1, tuple(range(len(persons))))
    more = {"number": "H000000000000000", **more}
    return compose(kind, Gathered(holder, tuple(persons)), lang=lang, issuer=ISSUER, at=AT, **more)


def pdf_of(key: str, persons: list[dict], lang: str, **more) -> bytes:
    done, layout = composed(key, persons, lang, **more), declared().layouts[key]
    return made(layout.files, layout.digest, done.fonts, done.content, address="https://example.cn/check/X/", at=AT)


def pages(pdf: bytes) -> int:
    from io import BytesIO

    from pyhanko.pdf_utils.reader import PdfFileReader

    return int(PdfFileReader(BytesIO(pdf)).root["/Pages"]["/Count"])


def plain(persons: list[dict]) -> list[dict]:
    """The examples without characters that need a further font, which a machine may lack."""
    return [{k: v.replace("𠀋", "丈") for k, v in one.items()} for one in persons]


@pytest.mark.parametrize("lang", list(LANGUAGES))
@pytest.mark.parametrize("key", list(declared().kinds))
def test_examples_are_set_on_as_many_pages_as_they_say(key, lang):
    for example in declared().kinds[key].examples:
        made_so = pdf_of(key, plain(example.persons), lang)
        assert pages(made_so) == example.pages
        assert b"/StructTreeRoot" in made_so or b"ObjStm" in made_so


def test_the_same_content_gives_the_same_bytes():
    example = declared().kinds["household_book"].examples[0]
    once, again = (pdf_of("household_book", plain(example.persons), "zh") for _ in range(2))
    assert once == again


@pytest.mark.heavy
def test_what_is_made_in_practice_says_so_on_every_page(tmp_path, monkeypatch):
    example = declared().kinds["household_book"].examples[0]
    said = text_of(pdf_of("household_book", plain(example.persons), "zh"))
    assert "练" not in said
    (tmp_path / settings.PRACTICE_MARK).touch()
    monkeypatch.setenv("WANJIA_HOME", str(tmp_path))
    practised = text_of(pdf_of("household_book", plain(example.persons), "zh"))
    # the first of the slanted letters; poppler tells each by itself
    assert practised.count("练") == example.pages


def text_of(pdf: bytes) -> str:
    """What stands in a PDF, by poppler."""
    return subprocess.run(["pdftotext", "-", "-"], input=pdf, capture_output=True, check=True).stdout.decode()
