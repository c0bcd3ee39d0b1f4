"""The form of a dossier, and masks."""

from datetime import date

import numpy as np
import pyarrow as pa
import pytest

from wanjia.privacy.adapters import moment, texts, vault_rows
from wanjia.privacy.errors import DossierUnreadable
from wanjia.privacy.rules import (
    FIELD,
    PART,
    RECORD,
    content_of,
    mask_address,
    mask_name,
    mask_number,
    pack,
    read_dossier,
)


def written() -> bytes:
    statements = RECORD.join(
        [
            FIELD.join(
                [
                    "0000",
                    "police_register",
                    "k1",
                    "self",
                    "2024-05-01",
                    "GA02=王伟",
                    "GA06=1980-01-02",
                    "GA18/moved_in_on=2001-02-03",
                ]
            ),
            FIELD.join(["0001", "medical_insurance", "m9", "self", "", "GA02=王玮"]),
        ]
    )
    choices = FIELD.join(["GA02=0p", "GA06=0p", "GA18=0r", "ZJ01=1a:2"])
    return pack(PART.join([choices, statements, "4294967300,8589934600"]))


def test_a_dossier_reads_back_as_it_was_written():
    dossier = read_dossier(written(), 7, 3)
    assert (dossier.person_id, dossier.version) == (7, 3)
    assert [s.source for s in dossier.statements] == ["police_register", "medical_insurance"]
    assert [s.assertion_id for s in dossier.statements] == [4294967300, 8589934600]
    assert dossier.statements[0].as_of == date(2024, 5, 1)
    assert dossier.statements[1].as_of is None
    assert dossier.value("GA02") == "王伟"
    assert dossier.value("GA18/moved_in_on") == "2001-02-03"
    assert dossier.value("ZJ01") == "2"
    assert dossier.value("GA99") is None


def test_losing_values_are_kept():
    assert [s.values["GA02"] for s in read_dossier(written(), 7, 1).losing("GA02")] == ["王玮"]


def test_content_leaves_the_locators_out():
    moved = written().replace(b"4294967300", b"9999999999")
    assert moved != written()
    assert content_of(moved) == content_of(written())


def test_an_unknown_form_is_refused():
    with pytest.raises(DossierUnreadable):
        read_dossier(b"W9" + written()[2:], 7, 1)


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        ("99010119850607123X", "990101********123X"),
        ("990101850607123", "990101*****7123"),
        ("12345678", "****5678"),
        ("12", "*2"),
        ("", ""),
    ],
)
def test_numbers_are_masked(number, shown):
    assert mask_number(number) == shown


def test_names_and_addresses_are_masked():
    assert mask_name("欧阳娜娜") == "欧***"
    assert mask_name("") == ""
    assert mask_address("澜江省望川市青枫区云台镇") == "澜江省望川市***"


def test_copy_rows_have_the_form_postgresql_reads():
    from datetime import UTC, datetime

    at = moment(datetime(2000, 1, 2, tzinfo=UTC))
    assert at == 86_400_000_000
    row = vault_rows(np.array([5]), np.array([1]), at, b"l" * 16, 3, [b"blob"])
    assert row[:2] == b"\x00\x06"
    assert row.endswith(b"\x00\x00\x00\x04blob")


def test_texts_are_cut_out_of_any_slice():
    values = ["张三", "", "李四", "x" * 50]
    assert texts(pa.array(values)) == [value.encode() for value in values]
    assert texts(pa.array(values).slice(1, 2)) == [b"", "李四".encode()]
    assert texts(pa.chunked_array([values[:1], values[1:]])) == [value.encode() for value in values]
    assert texts(pa.array([], pa.string())) == []
