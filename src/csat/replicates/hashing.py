"""Random order and random groups of respondents that follow from their id alone: the same in every engine and order.

The hash is FNV-1a of 64 bits over the UTF-8 bytes of the id, mixed by the finaliser of SplitMix64. Sources: Fowler,
Noll, Vo, Eastlake & Hansen (2024), The FNV Non-Cryptographic Hash Algorithm, draft-eastlake-fnv; Steele, Lea & Flood
(2014), Fast Splittable Pseudorandom Number Generators, OOPSLA, fig. 17 (variant 13 of Stafford).
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from csat.errors import DesignError

#: Offset and prime of FNV-1a with 64 bits.
OFFSET, PRIME = np.uint64(0xCBF29CE484222325), np.uint64(0x100000001B3)
#: The step of SplitMix64 and its two multipliers.
STEP, FIRST, SECOND = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
#: Random groups that respondents are put into.
GROUPS = 500
#: Ids that are hashed at once.
ROWS = 2**16


def row_hash(identity: pa.Array, seed: int = 1) -> np.ndarray:
    """Hash of each id.

    Parameters
    ----------
    identity : (n,) ids: text, whole numbers, decimals or numbers without a fraction; the text 12 and the numbers
        12, 12.0 and 12.00 are the same id. A dictionary's words count.
    seed : another seed gives another order.

    Returns
    -------
    numpy.ndarray
        (n,) of 64 bits without sign.

    Raises
    ------
    DesignError
        If an id is missing.
    """
    if identity.null_count:
        raise DesignError(
            f"{identity.null_count} of {len(identity)} respondents have no id: replicates that do not depend on the "
            "order of rows need one for each. Fill the column in, or name sampling units (psu)."
        )
    if pa.types.is_dictionary(identity.type):
        return row_hash(identity.dictionary, seed)[identity.indices.to_numpy()]
    with np.errstate(over="ignore"):
        return _mixed(_fnv(_texts(identity)) + np.uint64(seed % 2**64) * STEP)


def unit_of_row(identity: pa.Array, groups: int = GROUPS, seed: int = 1) -> np.ndarray:
    """Random group of each respondent, to be taken for a sampling unit: the sums of so few units are small, and add up.

    Source: Wolter (2007), Introduction to Variance Estimation, 2nd ed., ch. 2.

    Parameters
    ----------
    identity, seed : as in `row_hash`.
    groups : how many.

    Returns
    -------
    numpy.ndarray
        (n,) int32, from 0 on.

    Raises
    ------
    DesignError
        If an id is missing.
    """
    return (row_hash(identity, seed) % np.uint64(groups)).astype(np.int32)


def _texts(identity: pa.Array) -> pa.Array:
    """Ids as text; whole numbers without point and zeros, whatever type they have."""
    kind = identity.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return identity
    texts = identity.cast(pa.string())
    if pa.types.is_decimal(kind):
        texts = pc.replace_substring_regex(texts, r"\.0*$|(\.\d*[1-9])0+$", r"\1")
    elif pa.types.is_floating(kind):
        texts = pc.if_else(_is_whole(identity), _whole(identity).cast(pa.string()), texts)
    return texts


def _is_whole(numbers: pa.Array) -> pa.Array:
    return pc.and_(pc.equal(pc.trunc(numbers), numbers), pc.less(pc.abs(numbers), 2.0**53))


def _whole(numbers: pa.Array) -> pa.Array:
    return pc.if_else(_is_whole(numbers), numbers, pa.scalar(0, numbers.type)).cast(pa.int64())


def _fnv(texts: pa.Array) -> np.ndarray:
    """(n,) FNV-1a of the bytes of each text: byte by byte, all texts at once."""
    out = np.full(len(texts), OFFSET)
    for start in range(0, len(texts), ROWS):
        part = texts.slice(start, ROWS).cast(pa.large_binary())
        _, offsets, data = part.buffers()
        ends = np.frombuffer(offsets, np.int64)[part.offset : part.offset + len(part) + 1]
        letters = np.frombuffer(data, np.uint8) if data is not None and data.size else np.zeros(1, np.uint8)
        _hash_letters(out[start : start + ROWS], letters, ends)
    return out


def _hash_letters(out: np.ndarray, letters: np.ndarray, ends: np.ndarray) -> None:
    size = np.diff(ends)
    for at in range(int(size.max(initial=0))):
        longer = size > at
        if longer.all():
            out ^= letters[ends[:-1] + at]
            out *= PRIME
        else:
            out[longer] = (out[longer] ^ letters[ends[:-1][longer] + at]) * PRIME


def _mixed(x: np.ndarray) -> np.ndarray:
    """The finaliser of SplitMix64: every bit of x moves about half of the bits."""
    x = (x ^ (x >> np.uint64(30))) * FIRST
    x = (x ^ (x >> np.uint64(27))) * SECOND
    return x ^ (x >> np.uint64(31))
