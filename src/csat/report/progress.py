"""Progress on stderr: a bar in a terminal, one line per step elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any


@dataclass(frozen=True, slots=True)
class Progress:
    """Says what is being done.

    bar : of a terminal; None writes lines.
    silent : says nothing, and only counts.
    heard : keeps remarks instead of writing them.
    said : remarks that stand already.
    """

    bar: Any = None
    silent: bool = False
    heard: list[str] | None = None
    said: set[str] = field(default_factory=set)

    def counting(self, heard: list[str]) -> Progress:
        """The same bar for steps that are not worth a line each; their remarks are kept."""
        return replace(self, silent=True, heard=heard)

    def say(self, text: str) -> None:
        """Name the step that begins."""
        if self.silent:
            return
        if self.bar is not None:
            self.bar.set_description_str(text[:40])
        else:
            sys.stderr.write(f"{text}\n")
            sys.stderr.flush()

    def step(self) -> None:
        """Count a finished step."""
        if self.bar is not None:
            self.bar.update()

    def note(self, text: str) -> None:
        """Write a remark that stays, once."""
        if self.heard is not None:
            self.heard.append(text)
        if self.silent or text in self.said:
            return
        self.said.add(text)
        if self.bar is not None:
            self.bar.write(text, file=sys.stderr)
        else:
            sys.stderr.write(f"{text}\n")


@contextmanager
def progress(steps: int, wanted: bool) -> Iterator[Progress]:
    """Show progress over a number of steps, if wanted."""
    if not wanted:
        yield Progress(silent=True)
        return
    if not sys.stderr.isatty():
        yield Progress()
        return
    try:
        from tqdm import tqdm
    except ImportError:
        yield Progress()
        return
    with tqdm(total=steps, file=sys.stderr, leave=False, bar_format="{l_bar}{bar}| {n_fmt}/{total_fmt}") as bar:
        yield Progress(bar)
