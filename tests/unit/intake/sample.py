"""A small source and readers' shortcuts for the tests of intake."""

from wanjia.intake.adapters.files import check_envelope, read_delivery
from wanjia.intake.adapters.rows import ReadRows
from wanjia.intake.declared import AsOf, Column, Format, Source, Subject
from wanjia.kernel.declared import Text

WORDS = Text("某来源", "a source")


def source(kind: str = "csv", **changes) -> Source:
    """A source of three columns keyed by 编号."""
    shape = {"kind": kind, "files": ["sample*"], "skip_footer": ["合计"], **changes.pop("format", {})}
    columns = {"姓名": Column("name", aliases=["人员姓名"]), "性别": Column("sex"), "号码": Column("citizen_number")}
    plain = {
        "code": "sample", "name": WORDS, "department": "GA", "role": "baseline", "reliability": 0.9, "purpose": WORDS,
        "legal_basis": "-", "format": Format(**shape), "subjects": [Subject("self", columns)], "key": ["编号"],
        "as_of": AsOf(delivery=True),
    }  # fmt: skip
    return Source(**{**plain, **changes})


def read(content: str | bytes, kind: str = "csv", *, encoding: str = "utf-8", **changes) -> ReadRows:
    """Read bytes as intake does after landing."""
    declared = source(kind, **changes)
    raw = content.encode(encoding) if isinstance(content, str) else content
    return read_delivery(raw, check_envelope(raw, f".{kind}", declared), declared)


def rows(result: ReadRows) -> list[tuple]:
    """(row_no, 编号, 姓名, 性别, 号码) of every row taken."""
    table = result.table.select(["row_no", "编号", "姓名", "性别", "号码"])
    return list(zip(*(column.to_pylist() for column in table.columns), strict=True))


def refusals(result: ReadRows) -> list[tuple]:
    """(row_no, reason, column) of every row refused."""
    return [(r.row_no, r.reason, r.column) for r in result.refused]
