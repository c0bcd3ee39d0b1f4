"""The order of millions of rows by whole numbers."""

import numpy as np

BITS = 63


def order_by(*keys: np.ndarray) -> np.ndarray:
    """The places of rows in the order of `keys`, the first counting most; rows whose keys are all equal keep their order.

    What `numpy.lexsort` gives (which wants its keys the other way round), in an eighth of its time where keys and places together have room in 63
    bits: one array of such numbers is sorted with the processor's wide instructions, which no stable sort by another array has. Keys may be of any
    integer type.
    """
    rows = len(keys[0])
    if not rows:
        return np.zeros(0, np.int64)
    widths = [int(key.max()).bit_length() for key in keys]
    at = rows.bit_length()
    if sum(widths) + at > BITS or any(key.min() < 0 for key in keys):
        return np.lexsort(keys[::-1])
    packed = keys[0].astype(np.int64)
    for key, width in zip(keys[1:], widths[1:], strict=True):
        packed <<= width
        packed |= key.astype(np.int64, copy=False)
    packed <<= at
    packed |= np.arange(rows)
    packed.sort()
    packed &= (1 << at) - 1
    return packed
