"""Which encoding a text delivery is in: what is found counts, not what was announced, and it is reported."""

import codecs
import io
import re

import pyarrow as pa

from wanjia.intake.errors import EncodingUnreadable
from wanjia.intake.rules import BAD_LINE_SHARE

_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
REPLACEMENT = "\ufffd"
SAMPLE_BYTES = PIECE_BYTES = 1_000_000
_CHINESE = re.compile(r"[\u4e00-\u9fff]")


def to_utf8(raw: bytes) -> tuple[bytes, str, bool]:
    """The delivery as UTF-8 without byte-order mark, the encoding it was in, and whether some bytes could not be decoded.

    Undecodable bytes become U+FFFD, so that their rows can be quarantined one by one. Raises `EncodingUnreadable` when more than
    one line in a hundred is affected: then the encoding is wrong, not the rows.
    """
    for mark, name in _BOMS:
        if raw.startswith(mark):
            return _decoded(raw, name)
    if _is_utf8(raw):
        return raw, "utf-8", False
    # a UTF-8 file with a few broken bytes may by chance be valid GB18030: it gives itself away by well-formed Chinese in UTF-8
    sample = raw[:SAMPLE_BYTES].decode("utf-8", "replace")
    if len(_CHINESE.findall(sample)) > 10 * sample.count(REPLACEMENT):
        return _judged(raw.decode("utf-8", "replace"), "utf-8")
    return _decoded(raw, "gb18030")


def _is_utf8(raw: bytes) -> bool:
    """Without decoding: of a large delivery the text alone would take twice its memory."""
    places = pa.array([0, len(raw)], pa.int64()).buffers()[1]
    try:
        pa.LargeStringArray.from_buffers(1, places, pa.py_buffer(raw)).validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def _in_pieces(raw: bytes, name: str) -> bytes:
    """UTF-8 of a text in another encoding. Piece by piece: other threads go on in between, and no second copy of the whole is made."""
    decoder, utf8 = codecs.getincrementaldecoder(name)(), io.BytesIO()
    for at in range(0, len(raw), PIECE_BYTES):
        piece = decoder.decode(raw[at : at + PIECE_BYTES], final=at + PIECE_BYTES >= len(raw))
        utf8.write(piece.encode("utf-8"))
    return utf8.getvalue()


def _decoded(raw: bytes, name: str) -> tuple[bytes, str, bool]:
    try:
        return _in_pieces(raw, name), name, False
    except UnicodeDecodeError:
        return _judged(raw.decode(name, "replace"), name)


def _judged(text: str, name: str) -> tuple[bytes, str, bool]:
    lines = text.split("\n")
    bad = sum(REPLACEMENT in line for line in lines)
    if bad > max(3, len(lines) * BAD_LINE_SHARE):
        raise EncodingUnreadable(bad=bad, lines=len(lines))
    return text.encode("utf-8"), name, True
