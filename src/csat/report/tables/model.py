"""What every table of a fitted model says about its respondents."""

from __future__ import annotations

from csat.bases import Base, Bases
from csat.report.words import Word

#: Part of the respondents left out above which a model may speak for other people than the sample does.
MANY = 0.2


def sample_notes(n: float, left_out: float | None, bases: Bases) -> list[Word]:
    """Say who counts: the complete answers, how many were left out (None: not known), and whether that is little."""
    verdict = bases.judge(n)
    if left_out is None:
        said = [Word("note.complete_only", {"n": n})]
    else:
        said = [Word("note.complete", {"n": n, "all": n + left_out, "left_out": left_out})]
    if left_out is not None and left_out > MANY * (n + left_out):
        said.append(Word("note.many_left_out", {"share": left_out / (n + left_out)}))
    if verdict.hidden:
        return [*said, Word("note.suppressed_model", {"n": n, "least": bases.suppress})]
    return [*said, Word("note.small_model", {"n": n, "most": bases.flag})] if verdict is Base.SMALL else said
