"""Places of nodes from Graphviz, where its program ``dot`` is installed and asked for."""

from __future__ import annotations

import shlex
import shutil
import subprocess
from collections.abc import Iterable, Mapping

import numpy as np

from csat.errors import OptionError
from csat.report.network.blocks import Block

#: Seconds after which the program is given up.
PATIENCE = 30


def dot_places(blocks: Mapping[str, Block], links: Iterable[tuple[str, str]]) -> dict[str, np.ndarray]:
    """Centres of nodes (2,) in inches, laid out from left to right by ``dot``.

    Raises
    ------
    OptionError
        If the program is not installed, or fails.
    """
    program = shutil.which("dot")
    if program is None:
        raise OptionError("layout='graphviz' needs the program dot of Graphviz on the PATH; layout='csat' needs none.")
    ids = {code: f"n{at}" for at, code in enumerate(blocks)}
    nodes = [
        f"{ids[code]} [width={_size(block)[0]:.3f} height={_size(block)[1]:.3f}]" for code, block in blocks.items()
    ]
    arrows = [f"{ids[cause]} -> {ids[effect]}" for cause, effect in links]
    head = 'rankdir=LR ranksep=1.0 nodesep=0.35; node [shape=box fixedsize=true label=""];'
    said = f"digraph {{ {head} {'; '.join([*nodes, *arrows])} }}"
    done = subprocess.run(  # noqa: S603
        [program, "-Tplain"], input=said, capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    if done.returncode:
        raise OptionError(f"layout='graphviz': dot ended with code {done.returncode}: {done.stderr.strip()[:200]}")
    rows = [shlex.split(line) for line in done.stdout.splitlines() if line.startswith("node ")]
    found = {row[1]: np.array([float(row[2]), float(row[3])]) for row in rows}
    return {code: found[ids[code]] - _offset(block) for code, block in blocks.items()}


def _size(block: Block) -> tuple[float, float]:
    left, right, up, down = block.reach
    return left + right, up + down


def _offset(block: Block) -> np.ndarray:
    """(2,) from the centre of a node to that of its block."""
    left, right, up, down = block.reach
    return np.array([(right - left) / 2, (up - down) / 2])
