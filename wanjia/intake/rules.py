"""Decisions about deliveries as pure functions: which source a file is of, which column is which, what is refused and why.

No database, no clock, no engine. The limits are named numbers in one place, so that an operator can see all of them.
"""

import difflib
import fnmatch
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

MAX_FILE_BYTES = 2 * 1024**3
MAX_COLUMNS = 500
MAX_CELL_CHARACTERS = 4_000
MAX_HEADER_CHARACTERS = 200
MAX_EXPANDED_BYTES = 2 * 1024**3
MAX_EXPANSION_RATIO = 200  # a real sheet unfolds about tenfold; beyond this a small file is a bomb
EXPANSION_FREE_BYTES = 64 * 1024**2  # below this the ratio does not matter: it cannot hurt
MAX_ROWS = 50_000_000
MAX_PUSH_ROWS = 1_000
HEADER_SEARCH_ROWS = 12  # titles and notes may stand above the header
BAD_LINE_SHARE = 0.01  # beyond this share of undecodable lines the whole encoding is wrong, not some rows
REFUSED_ROWS_BEARABLE = 100_000  # beyond this, and beyond half of all, the export or its mapping is wrong, not the rows
REFUSED_SHARE_BEARABLE = 0.5
MAX_QUOTED_LINES = 20  # a quoted cell may hold this many line breaks; a longer one is a lost quote


@dataclass(frozen=True)
class Reason:
    """Why one row, or one value, was not taken: a sentence in each language, with `{column}` as its only field."""

    zh: str
    en: str


# Rows that are refused: they are kept, sealed, in quarantine. The keys are stable: departments' programs read them.
REASONS: dict[str, Reason] = {
    "FIELD_COUNT": Reason(
        "这一行的字段数与表头不一致，无法确定各值属于哪一列", "the row has another number of fields than the header"
    ),
    "QUOTE_UNBALANCED": Reason(
        "引号没有成对，无法确定单元格的边界", "a quotation mark is not closed, so cells cannot be told apart"
    ),
    "UNDECODABLE": Reason("“{column}”中有无法解码的字节", "'{column}' holds bytes that cannot be decoded"),
    "CONTROL_CHARACTER": Reason("“{column}”中有控制字符或空字节", "'{column}' holds a control character or a NUL byte"),
    "CELL_TOO_LONG": Reason("“{column}”的内容过长（上限四千字符）", "'{column}' is longer than 4,000 characters"),
    "FORMULA": Reason("“{column}”是公式或可执行内容，不是数据", "'{column}' is a formula or command, not a value"),
    "NOT_JSON": Reason("这一行不是有效的 JSON 对象", "the line is not a valid JSON object"),
    "NESTED_VALUE": Reason(
        "“{column}”是嵌套的对象或数组，应为单个值", "'{column}' is a nested object or array, not one value"
    ),
    "KEY_MISSING": Reason(
        "记录键“{column}”为空，无法再次认出这条记录",
        "the record key '{column}' is empty: it cannot be recognised again",
    ),
    "REQUIRED_MISSING": Reason("必填的“{column}”为空", "'{column}' is required but empty"),
    "NOBODY_NAMED": Reason(
        "既无姓名也无证件号码，不知道说的是谁", "there is neither a name nor a number, so nobody is named"
    ),
}

# Values that are set aside while their row is taken; standards adds its own reasons for values that do not fit an element.
VALUE_REASONS: dict[str, Reason] = {
    "NUMBER_LOST_DIGITS": Reason(
        "“{column}”被电子表格存成了数字，15 位以后的数字已丢失；请把该列设为文本后重新导出",
        "'{column}' was stored as a number by the spreadsheet and lost digits after the 15th; export it as text",
    ),
    "CODE_UNKNOWN": Reason("“{column}”的代码未在声明中", "the code in '{column}' is not declared"),
    "AS_OF_UNREADABLE": Reason(
        "“{column}”不是可读的日期，按收到之日计", "'{column}' is no readable date; the day of receipt is used"
    ),
    "AS_OF_IN_FUTURE": Reason(
        "“{column}”晚于收到之日，按收到之日计", "'{column}' lies after the receipt; the day of receipt is used"
    ),
}

# Limit 1, no tracking of people: words that name where a single person went. Counts per area are another source type.
_MOVEMENT = re.compile(
    r"行程|轨迹|行踪|途经|酒店|宾馆|旅馆|旅店|民宿|住宿登记|网吧|上网|基站|信令|小区ID|车牌|号牌|车次|航班|列车|火车|乘车|登机|"
    r"卡口|抓拍|人脸识别|出入口|进站|出站|刷卡|经度|纬度|坐标|定位|签到地点|IMEI|IMSI|MAC地址|IP地址|"
    r"\b(gps|latitude|longitude|lat|lng|lon|imei|imsi|msisdn|trajectory|itinerary|hotel|guesthouse|flight|train|"
    r"plate|cell_?tower|cell_?id|base_?station|check_?in|geolocation|geo_?point|ip_?address|mac_?address)\b",
    re.IGNORECASE,
)


def movement_word(column: str) -> str | None:
    """The word in a column's (or source's) name that speaks of where a single person went, if there is one (limit 1)."""
    # an underscore is a word character to `\b`, so "gps_lat" is taken apart first; the two-word names are tried whole as well
    folded = unicodedata.normalize("NFKC", column)
    for shape in (folded, folded.replace("_", " ").replace("-", " ")):
        found = _MOVEMENT.search(shape)
        if found:
            return found.group(0)
    return None


@lru_cache(4096)  # a push is met by the same hundred names each time
def fold_header(text: str) -> str:
    """A header's text as it is compared: NFKC, lower case, without spaces, byte-order marks, and marks such as '*' or '：'."""
    return re.sub(r"[\s\ufeff\u200b\u200c\u200d\u2060*:：_\-]+", "", unicodedata.normalize("NFKC", text)).casefold()


def shown(text: str) -> str:
    """A delivered header's text as it may be stored and shown: short, without control characters and broken code points."""
    whole = text.encode("utf-8", "replace").decode("utf-8")
    return re.sub(r"[\x00-\x1f\x7f]", "", whole)[:MAX_HEADER_CHARACTERS]


@dataclass(frozen=True)
class HeaderMatch:
    """Which delivered column is which declared one."""

    positions: dict[str, int]  # declared column → position in the file
    claims: dict[str, list[int]]  # declared column → every position that stands for it
    aliases_used: dict[str, str]  # declared column → the name it was delivered under
    unknown: list[str]  # delivered columns nobody declared; not read
    missing: list[str]  # required columns that are absent
    suggestions: dict[str, str]  # missing column → the delivered unknown one that was probably meant
    doubled: list[str]  # declared columns that two delivered ones stand for


def match_header(
    delivered: Sequence[str], declared: Mapping[str, Iterable[str]], required: Iterable[str]
) -> HeaderMatch:
    """Match delivered header texts with declared columns and their aliases; an exact name wins over an alias.

    A header of several joined rows arrives as "upper/lower": it matches by the whole and by its lowest part.
    """
    names: dict[str, str] = {}
    for name, aliases in declared.items():
        for alias in aliases:
            names.setdefault(fold_header(alias), name)
    names.update({fold_header(name): name for name in declared})
    claims: dict[str, list[int]] = {}
    unknown: list[str] = []
    for position, text in enumerate(delivered):
        candidates = [text.replace("/", ""), text.rsplit("/", 1)[-1]]
        name = next((names[fold_header(c)] for c in candidates if fold_header(c) in names), None)
        if name is not None:
            claims.setdefault(name, []).append(position)
        elif fold_header(text):
            unknown.append(shown(text))
    positions, doubled = {}, []
    for name, places in claims.items():
        exact = [p for p in places if fold_header(delivered[p]) == fold_header(name)]
        if len(places) > 1 and len(exact) != 1:
            doubled.append(name)
        positions[name] = (exact or places)[0]
    aliases_used = {
        name: delivered[place]
        for name, place in positions.items()
        if fold_header(name) not in (fold_header(delivered[place]), fold_header(delivered[place].rsplit("/", 1)[-1]))
    }
    missing = [name for name in required if name not in positions]
    suggestions = {}
    for name in missing:
        near = difflib.get_close_matches(name, unknown, n=1, cutoff=0.5)
        if near:
            suggestions[name] = near[0]
    return HeaderMatch(positions, claims, aliases_used, unknown, missing, suggestions, doubled)


def join_header_rows(rows: Sequence[Sequence[str]], merges: Iterable[tuple[int, int, int, int]] = ()) -> list[str]:
    """Several header rows as one, joined from the top down with "/"; a merged cell's text counts for all it covers.

    `merges` are (first row, first column, last row, last column), 0-based within `rows`. Without merge marks (CSV keeps none) an
    empty upper cell takes the text on its left, as spreadsheets leave it when they flatten a merge.
    """
    width = max((len(row) for row in rows), default=0)
    grid = [[*(cell.strip() for cell in row), *[""] * (width - len(row))] for row in rows]
    merges = list(merges)
    for top, left, bottom, right in merges:
        for row in range(top, min(bottom, len(grid) - 1) + 1):
            for column in range(left, min(right, width - 1) + 1):
                grid[row][column] = grid[top][left]
    if not merges:
        for row in grid[:-1]:
            for column in range(1, width):
                if not row[column] and any(other[column] for other in grid if other is not row):
                    row[column] = row[column - 1]
    joined = []
    for column in range(width):
        parts: list[str] = []
        for row in grid:
            if row[column] and row[column] not in parts:
                parts.append(row[column])
        joined.append("/".join(parts))
    return joined


def find_header(
    rows: Sequence[Sequence[str]], header_rows: int, declared: Mapping[str, Iterable[str]], required: Iterable[str]
) -> tuple[int, list[str], HeaderMatch]:
    """Where the header starts among the first rows, its joined texts, and how they match: the window matching most columns.

    Titles and notes above the header are common in exported sheets, so the first row is only the first guess.
    """
    best: tuple[int, list[str], HeaderMatch] | None = None
    required = list(required)
    for start in range(max(1, min(HEADER_SEARCH_ROWS, len(rows) - header_rows + 1))):
        texts = join_header_rows(rows[start : start + header_rows])
        match = match_header(texts, declared, required)
        if best is None or len(match.positions) > len(best[2].positions):
            best = (start, texts, match)
        if not match.missing and not match.unknown:
            break
    if best is None:
        return 0, [], match_header([], declared, required)
    return best


def sources_for_file(name: str, patterns: Mapping[str, Iterable[str]]) -> list[str]:
    """The sources whose declared patterns the file's name fits, case apart: {source: patterns}."""
    folded = name.casefold()
    return [
        source
        for source, wanted in patterns.items()
        if any(fnmatch.fnmatchcase(folded, pattern.casefold()) for pattern in wanted)
    ]


def are_too_many_refused(refused: int, rows_in: int) -> bool:
    """Are so many rows refused that the delivery as a whole must be wrong?"""
    return refused > REFUSED_ROWS_BEARABLE and refused > rows_in * REFUSED_SHARE_BEARABLE


def is_footer(first_cell: str, marks: Iterable[str]) -> bool:
    """Is a row whose first filled cell reads so a totals row, not a record?"""
    folded = fold_header(first_cell)
    return any(folded.startswith(fold_header(mark)) for mark in marks if fold_header(mark))


def reason_sentence(code: str, column: str | None, row_no: int | None, lang: str) -> str:
    """The sentence a department reads about one refused row: which row, which column, why."""
    reason = REASONS.get(code) or VALUE_REASONS.get(code) or Reason("{column}：" + code, "{column}: " + code)
    chinese = lang.startswith("zh")
    text = (reason.zh if chinese else reason.en).format(column=column or ("整行" if chinese else "the row"))
    if row_no is None:
        return text
    return f"第 {row_no} 行：{text}。" if chinese else f"Row {row_no}: {text}."
