"""Interviews that occur twice in a source larger than memory, found with hashes that are kept on disk."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

#: Parts by which hashes are sorted: each fits in memory, 16 bytes per row.
PARTS = 64


@contextmanager
def hashes_on_disk() -> Iterator[Hashes]:
    """Hashes in a temporary folder, which is gone at the end, whatever happens in between."""
    with tempfile.TemporaryDirectory(prefix="csat-") as folder:
        yield Hashes(Path(folder))


class Hashes:
    """Hashes of rows, sorted into parts by their highest bits."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def add(self, hashes: np.ndarray) -> None:
        """Keep the hashes (n,) of some rows."""
        part = (hashes >> np.uint64(58)).astype(int)
        order = np.argsort(part, kind="stable")
        bounds = np.searchsorted(part[order], np.arange(PARTS + 1))
        for number in np.flatnonzero(np.diff(bounds)).tolist():
            with (self.folder / f"{number}.bin").open("ab") as file:
                file.write(hashes[order[bounds[number] : bounds[number + 1]]].tobytes())

    def repeated(self) -> np.ndarray:
        """Hashes that occur more than once, sorted."""
        found = [np.zeros(0, np.uint64)]
        for path in self.folder.iterdir():
            hashes = np.sort(np.fromfile(path, np.uint64))
            found.append(np.unique(hashes[1:][hashes[1:] == hashes[:-1]]))
        return np.sort(np.concatenate(found))


def among(hashes: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Mark the hashes (n,) that are among the `known`, sorted ones."""
    if not len(known):
        return np.zeros(len(hashes), bool)
    place = np.searchsorted(known, hashes).clip(max=len(known) - 1)
    return known[place] == hashes


def later_ones(found: Iterable[tuple[str, int]]) -> np.ndarray:
    """Places, sorted, of the texts that stood at an earlier place; `found` comes in the order of places."""
    seen: set[str] = set()
    places = []
    for text, place in found:
        if text in seen:
            places.append(place)
        seen.add(text)
    return np.array(sorted(places), np.int64)
