"""Values by which persons are looked up, hashed: each distinct value of a kind once, whoever shares it."""

from collections.abc import Iterable, Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from wanjia.kernel.keyring import Keyring
from wanjia.privacy.adapters import blind_rows, texts
from wanjia.privacy.models import BlindKind

ROWS_AT_A_TIME = 20_000
RELATIVES = (BlindKind.MOTHER_NUMBER, BlindKind.FATHER_NUMBER, BlindKind.SPOUSE_NUMBER)
ByKind = Iterable[tuple[str, pa.Table]]
_KINDS = {kind.label: kind for kind in BlindKind}


def blind_pieces(values: ByKind, keyring: Keyring) -> Iterator[bytes]:
    """Binary COPY pieces of the search index, in the order in which the index over them is built without sorting."""
    for label, rows in values:
        for piece in _blinded(_KINDS[label], rows, keyring, by_hash=True):
            yield blind_rows(*piece)


def blind_purpose(kind: BlindKind) -> str:
    """The purpose whose key hashes values of this kind."""
    # numbers named as a relative's are compared with numbers of persons, so both share one key
    return "number" if kind in RELATIVES else kind.label


def blinded(values: pa.Table, keyring: Keyring) -> Iterator[tuple[np.ndarray, int, np.ndarray, int]]:
    """(person ids, kind, blinds, key) of `values` (person_id, kind, value) in pieces; a kind's rows come in their order."""
    for label, rows in kinds_in(values):
        yield from _blinded(_KINDS[label], rows, keyring)


def kinds_in(values: pa.Table) -> ByKind:
    """(kind, its rows) of `values` (person_id, kind, value), in the order of the kinds' numbers."""
    kinds = values["kind"].combine_chunks().dictionary_encode()
    for kind in BlindKind:
        of_kind = values.filter(pc.equal(kinds.indices, kinds.dictionary.index(kind.label)))
        if of_kind.num_rows:
            yield kind.label, of_kind


def _blinded(
    kind: BlindKind, values: pa.Table, keyring: Keyring, *, by_hash: bool = False
) -> Iterator[tuple[np.ndarray, int, np.ndarray, int]]:
    """Pieces as of `blinded`; each distinct value is hashed once.

    `by_hash`: in the order in which the index over them is built without sorting, and those who share a value lie side by side.
    """
    if not values.num_rows:
        return
    encoded = values["value"].cast(pa.large_string()).combine_chunks().dictionary_encode()
    key = keyring.blinder(blind_purpose(kind))
    hashes = np.frombuffer(key.blind_many(texts(encoded.dictionary)), "V16")
    codes, persons = np.asarray(encoded.indices), np.asarray(values["person_id"])
    if by_hash:
        place = np.empty(len(hashes), np.int32)
        place[np.argsort(hashes.view(">u8")[::2])] = np.arange(len(hashes), dtype=np.int32)
        order = np.argsort(place[codes], kind="stable")
        codes, persons = codes[order], persons[order]
    for start in range(0, len(persons), ROWS_AT_A_TIME):
        end = start + ROWS_AT_A_TIME
        yield persons[start:end], int(kind), hashes[codes[start:end]], key.key_id
