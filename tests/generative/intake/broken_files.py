"""Files as nobody should send them, made from good ones with a recorded seed."""

import gzip
import io
import json
import random
import struct
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq


@dataclass(frozen=True)
class BrokenFile:
    """One bad delivery: how it was broken, the source it claims to be of, its suffix and bytes."""

    how: str
    source: str
    suffix: str
    content: bytes


SOURCES = {"csv": "police_register", "xlsx": "assistance", "jsonl": "birth_certificates", "parquet": "marriages"}


def good_rows(kind: str, chance: random.Random, count: int) -> list[dict[str, str]]:
    """Rows of the source for `kind` that intake would take."""
    rows = []
    for number in range(count):
        key = f"{chance.randrange(10**8):08d}{number:03d}"
        rows.append(
            {
                "csv": {
                    "人员编号": f"R{key}",
                    "公民身份号码": "990122195311090230",
                    "姓名": chance.choice("刘王李张陈") + chance.choice("桂明芳伟静") + "生",
                    "性别": "男",
                    "民族": "汉",
                    "出生日期": "19531109",
                    "户籍地址": "望川市青枫区云台镇建设街195号1号楼302室",
                    "更新日期": "20220605",
                },
                "xlsx": {
                    "登记编号": f"JZ{key}",
                    "姓名": "周阿" + chance.choice("珍芳英"),
                    "身份证号": "990106195001200801",
                    "性别": "女",
                    "出生年月": "1950年1月",
                    "填报日期": "2026-05-31",
                },
                "jsonl": {
                    "出生医学证明编号": f"Z{key}",
                    "新生儿姓名": "高楷浩",
                    "性别": "1",
                    "出生日期": "2018-01-03",
                    "母亲身份证号": "990102199308010028",
                    "签发日期": "2018-01-07",
                },
                "parquet": {
                    "业务编号": f"HY{key}",
                    "业务类型": "结婚登记",
                    "男方姓名": "孙涛",
                    "女方姓名": "高晓",
                    "男方身份证件号": "990102199202030637",
                    "办理日期": "2019-05-20",
                },
            }[kind]
        )
    return rows


def written(kind: str, rows: list[dict], *, encoding: str = "utf-8") -> bytes:
    """Rows as the bytes of a file of `kind`."""
    names = list(rows[0]) if rows else []
    if kind == "csv":
        lines = [",".join(names), *(",".join(str(v) for v in row.values()) for row in rows)]
        return ("\r\n".join(lines) + "\r\n").encode(encoding, "replace")
    if kind == "jsonl":
        return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode(encoding, "replace")
    if kind == "parquet":
        out = io.BytesIO()
        pq.write_table(pa.Table.from_pylist(rows), out)
        return out.getvalue()
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["救助对象"] * len(names))
    sheet.append(names)
    for row in rows:
        sheet.append(list(row.values()))
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _truncated(kind: str, rows: list[dict], chance: random.Random) -> bytes:
    content = written(kind, rows)
    return content[: chance.randrange(1, len(content))]


def _flipped(kind: str, rows: list[dict], chance: random.Random) -> bytes:
    content = bytearray(written(kind, rows))
    for _ in range(chance.randrange(1, 40)):
        content[chance.randrange(len(content))] = chance.randrange(256)
    return bytes(content)


def _noise(kind: str, rows: list[dict], chance: random.Random) -> bytes:
    return chance.randbytes(chance.randrange(1, 20_000))


def _empty(kind: str, rows: list[dict], chance: random.Random) -> bytes:
    return chance.choice([b"", b"\n\n\n", b"\xef\xbb\xbf", b" " * 100, b"\x00" * 100])


def _header_only(kind: str, rows: list[dict], chance: random.Random) -> bytes:
    if kind == "jsonl":
        return b"{}\n"
    if kind == "parquet":
        out = io.BytesIO()
        pq.write_table(pa.Table.from_pylist(rows).slice(0, 0), out)
        return out.getvalue()
    content = written("csv", rows[:1]).split(b"\r\n")[0] if kind == "csv" else None
    if content is not None:
        return content + b"\r\n"
    book = openpyxl.Workbook()
    book.active.append(["救助对象"] * len(rows[0]))
    book.active.append(list(rows[0]))
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _other_encoding(kind: str, rows: list[dict], chance: random.Random) -> bytes:
    if kind not in ("csv", "jsonl"):
        return _noise(kind, rows, chance)
    return written(kind, rows, encoding=chance.choice(["utf-16-le", "utf-32", "big5", "shift_jis", "euc_kr", "utf-7"]))


def _wrong_columns(kind: str, rows: list[dict], chance: random.Random) -> bytes:
    way = chance.randrange(3)
    if way == 0:
        return written(kind, [{f"column {i}": v for i, v in enumerate(row.values())} for row in rows])
    if way == 1:
        return written(kind, [dict(list(row.items())[1:]) for row in rows])
    return written(kind, [{**row, "入住酒店": "x", "GPS经度": "120.1"} for row in rows])


def _page(kind: str, rows: list[dict], chance: random.Random) -> bytes:
    cells = "".join(f"<td>{v}</td>" for v in rows[0].values())
    return f"<html><body><table><tr>{cells}</tr></table></body></html>".encode()


def _long_cell(kind: str, rows: list[dict], chance: random.Random) -> bytes:
    name = chance.choice(list(rows[0]))
    length = 32_000 if kind == "xlsx" else 1_000_000
    chance.choice(rows)[name] = chance.choice(["长", "x", '"']) * length
    return written(kind, rows)


def _nul(kind: str, rows: list[dict], chance: random.Random) -> bytes:
    content = written(kind, rows)
    if kind in ("csv", "jsonl"):
        place = chance.randrange(len(content))
        return content[:place] + b"\x00" * chance.randrange(1, 5) + content[place:]
    return content + b"\x00" * 1000


def _formulas(kind: str, rows: list[dict], chance: random.Random) -> bytes:
    name = chance.choice(list(rows[0]))
    for row in rows[::2]:
        row[name] = chance.choice(
            ["=cmd|'/c calc'!A0", "@SUM(1+1)", "+cmd|' /C notepad'!A0", '=HYPERLINK("http://x")', "-2+3+cmd"]
        )
    return written(kind, rows)


def _marks_inside(kind: str, rows: list[dict], chance: random.Random) -> bytes:
    name = chance.choice(list(rows[0]))
    for row in rows[::3]:
        row[name] = chance.choice(["\ufeff", "\u2028", "\u202e", "\u200b", "\ud7ff"]) + str(row[name])
    return written(kind, rows)


def _control(kind: str, rows: list[dict], chance: random.Random) -> bytes:
    if kind == "xlsx":  # a workbook cannot hold them, so they go into its parts
        return written(kind, rows).replace(b"sheet", b"sh\x01et", 2)
    name = chance.choice(list(rows[0]))
    for row in rows[::2]:
        row[name] = str(row[name]) + chance.choice(["\x01", "\x1b[31m", "\x08", "\x7f", "\x0b"])
    return written(kind, rows)


def _many_fields(kind: str, rows: list[dict], chance: random.Random) -> bytes:
    if kind == "csv":
        if chance.random() < 0.5:
            return written(kind, rows) + b"," * 1_000_000 + b"\r\n"
        return b",".join(b"c%d" % i for i in range(100_000)) + b"\r\n1\r\n"
    return written(kind, [{**row, **{f"c{i}": "1" for i in range(700)}} for row in rows[:2]])


def _bomb(kind: str, rows: list[dict], chance: random.Random) -> bytes:
    if kind == "parquet":
        out = io.BytesIO()
        pq.write_table(pa.table({name: pa.nulls(3_000_000, pa.string()) for name in rows[0]}), out)
        return out.getvalue()
    if kind == "jsonl":
        return b'{"a":' * 200_000 + b"1" + b"}" * 200_000 if chance.random() < 0.5 else b"[" * 500_000
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * 120_000_000)
    content = out.getvalue()
    if chance.random() < 0.5:  # the sizes in the directory lie
        content = content.replace(struct.pack("<I", 120_000_000), struct.pack("<I", 1000))
    return content


def _quotes(kind: str, rows: list[dict], chance: random.Random) -> bytes:
    content = written("csv" if kind == "csv" else kind, rows)
    place = chance.randrange(len(content))
    return content[:place] + b'"' + content[place:]


def _ragged(kind: str, rows: list[dict], chance: random.Random) -> bytes:
    if kind != "csv":
        return written(kind, [dict(list(row.items())[: chance.randrange(1, len(row) + 1)]) for row in rows])
    lines = written(kind, rows).split(b"\r\n")
    place = chance.randrange(1, len(lines) - 1)
    lines[place] = chance.choice([lines[place] + b",extra", lines[place].rsplit(b",", 2)[0], b"", b",,"])
    return b"\r\n".join(lines)


def _other_kind(kind: str, rows: list[dict], chance: random.Random) -> bytes:
    content = written(chance.choice([k for k in SOURCES if k != kind]), rows)
    return gzip.compress(content) if chance.random() < 0.3 else content


def _doubled(kind: str, rows: list[dict], chance: random.Random) -> bytes:
    if kind == "csv":
        lines = written(kind, rows).decode().split("\r\n")
        return "\r\n".join(line and line + "," + line.split(",")[2] for line in lines).encode()
    return written(kind, rows + rows)


def _not_objects(kind: str, rows: list[dict], chance: random.Random) -> bytes:
    if kind == "parquet":
        return written(kind, [{**row, "男方姓名": [row["男方姓名"], {"a": 1}["a"] and "b"]} for row in rows])
    if kind == "xlsx":
        return written(kind, [{**row, "身份证号": 990106195001200801} for row in rows])
    lines = [json.dumps(row, ensure_ascii=False) for row in rows]
    lines[0] = chance.choice(
        ["null", "[1,2]", '"text"', "{'a':1}", '{"新生儿姓名":{"a":[1]}}', '{"a":1e999}', '{"\\ud800":1}']
    )
    return ("\n".join(lines) + "\n").encode()


WAYS: list[Callable[[str, list[dict], random.Random], bytes]] = [
    _truncated, _flipped, _noise, _empty, _header_only, _other_encoding, _wrong_columns, _page, _long_cell, _nul,
    _formulas, _marks_inside, _control, _many_fields, _bomb, _quotes, _ragged, _other_kind, _doubled, _not_objects,
]  # fmt: skip


def broken_files(seed: int, count: int) -> Iterator[BrokenFile]:
    """`count` broken files: every way with every format in turn, the details by chance from `seed`."""
    kinds = list(SOURCES)
    for number in range(count):
        chance = random.Random(f"{seed}/{number}")
        way = WAYS[number % len(WAYS)]
        kind = kinds[(number // len(WAYS)) % len(kinds)]
        content = way(kind, good_rows(kind, chance, chance.randrange(3, 12)), chance)
        yield BrokenFile(f"{kind}{way.__name__}", SOURCES[kind], f".{kind}", content)
