"""Which encoding a text delivery is in: what is found counts, not what was announced, and it is reported."""

import codecs
import re

from wanjia.intake.errors import EncodingUnreadable
from wanjia.intake.rules import BAD_LINE_SHARE

_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
REPLACEMENT = "\ufffd"
SAMPLE_BYTES = 1_000_000
_CHINESE = re.compile(r"[\u4e00-\u9fff]")


def to_utf8(raw: bytes) -> tuple[bytes, str, bool]:
    """The delivery as UTF-8 without byte-order mark, the encoding it was in, and whether some bytes could not be decoded.

    Undecodable bytes become U+FFFD, so that their rows can be quarantined one by one. Raises `EncodingUnreadable` when more than
    one line in a hundred is affected: then the encoding is wrong, not the rows.
    """
    for mark, name in _BOMS:
        if raw.startswith(mark):
            return _decoded(raw, name)
    try:
        raw.decode("utf-8")
        return raw, "utf-8", False
    except UnicodeDecodeError:
        pass
    # a UTF-8 file with a few broken bytes may by chance be valid GB18030: it gives itself away by well-formed Chinese in UTF-8
    sample = raw[:SAMPLE_BYTES].decode("utf-8", "replace")
    if len(_CHINESE.findall(sample)) > 10 * sample.count(REPLACEMENT):
        return _judged(raw.decode("utf-8", "replace"), "utf-8")
    return _decoded(raw, "gb18030")


def _decoded(raw: bytes, name: str) -> tuple[bytes, str, bool]:
    try:
        return raw.decode(name).encode("utf-8"), name, False
    except UnicodeDecodeError:
        return _judged(raw.decode(name, "replace"), name)


def _judged(text: str, name: str) -> tuple[bytes, str, bool]:
    lines = text.split("\n")
    bad = sum(REPLACEMENT in line for line in lines)
    if bad > max(3, len(lines) * BAD_LINE_SHARE):
        raise EncodingUnreadable(bad=bad, lines=len(lines))
    return text.encode("utf-8"), name, True
