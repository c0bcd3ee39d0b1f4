"""Values by which persons are looked up, hashed: each distinct value of a kind once, whoever shares it."""

from collections.abc import Iterable, Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from wanjia.kernel.blinding import BLIND_BYTES, Blinder
from wanjia.kernel.keyring import Keyring
from wanjia.kernel.ordering import order_by
from wanjia.privacy.adapters import blind_rows, texts
from wanjia.privacy.models import BlindKind

ROWS_AT_A_TIME = 20_000
RELATIVES = (BlindKind.MOTHER_NUMBER, BlindKind.FATHER_NUMBER, BlindKind.SPOUSE_NUMBER)
#: kinds that rows of the index have
STORED = tuple(kind for kind in BlindKind if kind is not BlindKind.PLACE)
#: in the value of a door: what stands before it is the place
DOOR_SEPARATOR = "|"
PLACE_BYTES = BLIND_BYTES // 2
ByKind = Iterable[tuple[str, pa.Table]]
_KINDS = {kind.label: kind for kind in BlindKind}


def blind_pieces(values: ByKind, keyring: Keyring) -> Iterator[bytes]:
    """Binary COPY pieces of the search index, in the order in which the index over them is built without sorting."""
    for label, rows in values:
        for piece in _blinded(_KINDS[label], rows, keyring, by_hash=True):
            yield blind_rows(*piece)


def blind_purpose(kind: BlindKind) -> str:
    """The purpose whose key hashes values of this kind."""
    # numbers named as a relative's are compared with numbers of persons, so both share one key; and a place is the beginning of its doors
    if kind in RELATIVES:
        return BlindKind.NUMBER.label
    return BlindKind.DOOR.label if kind is BlindKind.PLACE else kind.label


def blind_of(kind: BlindKind, value: str, key: Blinder) -> bytes:
    """The blind by which a value of the kind is found; of a place the `PLACE_BYTES` with which the blinds of all its doors begin."""
    return (
        key.blind(value)[:PLACE_BYTES]
        if kind is BlindKind.PLACE
        else _hashes(kind, [value.encode()], key, {}).tobytes()
    )


def blinded(values: pa.Table, keyring: Keyring) -> Iterator[tuple[np.ndarray, int, np.ndarray, int]]:
    """(person ids, kind, blinds, key) of `values` (person_id, kind, value) in pieces; a kind's rows come in their order."""
    for label, rows in kinds_in(values):
        yield from _blinded(_KINDS[label], rows, keyring)


def kinds_in(values: pa.Table) -> ByKind:
    """(kind, its rows) of `values` (person_id, kind, value), in the order of the kinds' numbers."""
    kinds = values["kind"].combine_chunks().dictionary_encode()
    for kind in STORED:
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
    halves = _hashes_of(kind, encoded.dictionary, key)
    hashes = halves.view("V16").ravel()
    codes, persons = np.asarray(encoded.indices), np.asarray(values["person_id"])
    if by_hash:
        place = np.empty(len(hashes), np.int32)
        begins, ends = (halves[:, half].astype(np.uint64) for half in (0, 1))
        if kind is BlindKind.DOOR:
            # only doors begin alike
            order = np.argsort(ends)
            order = order[order_by(np.unique(begins, return_inverse=True)[1][order])]
        else:
            order = np.argsort(begins)
        place[order] = np.arange(len(hashes), dtype=np.int32)
        order = order_by(place[codes])
        codes, persons = codes[order], persons[order]
    for start in range(0, len(persons), ROWS_AT_A_TIME):
        end = start + ROWS_AT_A_TIME
        yield persons[start:end], int(kind), hashes[codes[start:end]], key.key_id


def _hashes_of(kind: BlindKind, values: pa.Array, key: Blinder) -> np.ndarray:
    """The blinds of distinct values as an array (n, 2) of their halves.

    Some at a time: a million values and hashes as Python's would lie in memory that nobody had before, which costs a fifth of hashing them.
    """
    found, places = np.empty((len(values), 2), ">u8"), {}
    for start in range(0, len(values), ROWS_AT_A_TIME):
        some = texts(values.slice(start, ROWS_AT_A_TIME))
        found[start : start + len(some)] = _hashes(kind, some, key, places)
    return found


def _hashes(kind: BlindKind, values: list[bytes], key: Blinder, known: dict[bytes, int]) -> np.ndarray:
    """The same of few values. `known` are places and the halves that stand for them; more of them are noted there.

    A door's blind is half the place's and half its own, so that who lives at a place is found among the doors: rows for places would be a quarter
    of the whole index.
    """
    halves = np.frombuffer(key.blind_many(values), ">u8").reshape(-1, 2)
    if kind is not BlindKind.DOOR:
        return halves
    places = [value.partition(DOOR_SEPARATOR.encode())[0] for value in values]
    fresh = [place for place in dict.fromkeys(places) if place not in known]
    known.update(zip(fresh, np.frombuffer(key.blind_many(fresh), ">u8")[::2].tolist(), strict=True))
    found = np.empty_like(halves)
    found[:, 0], found[:, 1] = [known[place] for place in places], halves[:, 0]
    return found
