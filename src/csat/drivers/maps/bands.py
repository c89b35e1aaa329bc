"""Which answers to a question count as low and which as high, so that both can be compared with the middle."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any

import numpy as np

from csat.drivers.maps.scored import number_in
from csat.errors import OptionError, SampleError
from csat.moments import Recode, Source, shown
from csat.questionnaire import Questionnaire

#: Scores on 0–100 up to which an answer is low, and above which it is high: 1–6 and 9–10 on a scale of 1–10, 0–6 and
#: 9–10 on 0–10 (as for the net promoter score), 1–3 and 5 on 1–5, 1–4 and 6–7 on 1–7.
LOW_UP_TO, HIGH_ABOVE = 60.0, 80.0

#: A cut in answers, or the answers themselves; for all drivers, or by driver.
Asked = float | Collection[float] | Mapping[str, float | Collection[float]] | None


@dataclass(frozen=True, slots=True)
class Bands:
    """The answers to one driver, worst first, and which of them are low, in the middle, and high."""

    driver: str
    low: tuple[float, ...]
    middle: tuple[float, ...]
    high: tuple[float, ...]

    @property
    def dummies(self) -> tuple[Recode, Recode]:
        """1 for low and 0 for other answers, and 1 for high and 0 for others."""
        return self._dummy("low", self.low), self._dummy("high", self.high)

    def _dummy(self, word: str, inside: Sequence[float]) -> Recode:
        answers = (*self.low, *self.middle, *self.high)
        return Recode(f"{self.driver}: {word}", self.driver, {answer: float(answer in inside) for answer in answers})


def bands_of(source: Source, asked: Questionnaire | None, drivers: Sequence[str], low: Any, high: Any) -> list[Bands]:
    """Divide the answers to each driver.

    Parameters
    ----------
    source : to look up the answers to a driver whose scale is not known.
    asked : the questionnaire; None: `low` and `high` are needed for each driver.
    drivers : (k,) codes. low, high : see `Asked`; None: by the scores, `LOW_UP_TO` and `HIGH_ABOVE`.

    Raises
    ------
    OptionError
        If an option names no driver or no answer, or low, middle and high are not three different parts of the answers.
    """
    for option, given in (("low", low), ("high", high)):
        strangers = [name for name in given if name not in drivers] if isinstance(given, Mapping) else []
        if strangers:
            raise OptionError.choose(f"a driver of {option}", strangers[0], drivers)
    return [_bands(source, asked, driver, _own(low, driver), _own(high, driver)) for driver in drivers]


def _own(given: Any, driver: str) -> Any:
    return given.get(driver) if isinstance(given, Mapping) else given


def _bands(source: Source, asked: Questionnaire | None, driver: str, low: Any, high: Any) -> Bands:
    answers, scores = _answers(source, asked, driver)
    if scores is None and (low is None or high is None):
        raise OptionError(
            f"The scale of {driver!r} is not known, so that low and high answers are not either: pass low= and high=, "
            "e.g. low=6, high=9, or read the survey with a questionnaire."
        )
    order = np.arange(len(answers)) if scores is None else np.argsort(scores)
    falling = scores is not None and scores[0] > scores[-1]
    worst_first = [answers[i] for i in order]
    if not answers:
        raise SampleError(f"Nobody answered {driver!r}: there are no low and high answers to compare. Leave it out.")
    below = _default_low(scores) if low is None else _picked("low", low, answers, driver, falling)
    above = _default_high(scores) if high is None else _picked("high", high, answers, driver, not falling)
    below, above = below[order], above[order]
    if low is None and not (~below & ~above).any() and below.sum() > 1:
        below[np.flatnonzero(below)[-1]] = False
    _check_bands(driver, worst_first, below, above)
    return Bands(
        driver,
        tuple(answer for answer, inside in zip(worst_first, below, strict=True) if inside),
        tuple(answer for answer, inside in zip(worst_first, below | above, strict=True) if not inside),
        tuple(answer for answer, inside in zip(worst_first, above, strict=True) if inside),
    )


def _answers(source: Source, asked: Questionnaire | None, driver: str) -> tuple[list[float], np.ndarray | None]:
    """The answers to a driver in ascending order, and their scores if the scale is known."""
    scale = asked.scale_of(driver) if asked is not None and driver in asked.codes else None
    if scale is not None and scale.levels:
        return list(scale.levels), scale.score(np.array(scale.levels))
    found = source.levels([driver]).levels[0]
    if any(isinstance(answer, str) for answer in found):
        raise SampleError.categories(driver, found)
    answers = [float(answer) for answer in found]
    return answers, None if scale is None else scale.score(np.array(answers))


def _default_low(scores: np.ndarray | None) -> np.ndarray:
    found = np.asarray(scores)
    return (found <= LOW_UP_TO) | (found == found.min())


def _default_high(scores: np.ndarray | None) -> np.ndarray:
    found = np.asarray(scores)
    return (found > HIGH_ABOVE) | (found == found.max())


def _picked(option: str, given: Any, answers: Sequence[float], driver: str, upward: bool) -> np.ndarray:
    """(L,) which answers are meant: from a cut to the end of the scale, or one by one."""
    line, cut = np.array(answers), number_in(given)
    if np.isfinite(cut):
        inside = line >= cut if upward else line <= cut
    elif isinstance(given, Sequence | Set | np.ndarray) and not isinstance(given, str | bytes):
        listed = np.ravel(given).tolist() if isinstance(given, np.ndarray) else list(given)
        strangers = [answer for answer in listed if answer not in answers]
        if strangers:
            raise OptionError.choose(f"answer of {driver!r} in {option}", strangers[0], answers)
        inside = np.array([answer in listed for answer in answers], bool)
    else:
        raise OptionError(f"{option} is an answer to cut at, or a list of answers, by driver or not; {shown(given)}.")
    if not inside.any():
        raise OptionError(f"{option}={given!r}: no answer to {driver!r} lies there; they are {_range(answers)}.")
    return inside


def _check_bands(driver: str, worst_first: Sequence[float], below: np.ndarray, above: np.ndarray) -> None:
    apart = below.any() and above.any() and np.flatnonzero(below)[-1] < np.flatnonzero(above)[0]
    if not apart:
        raise OptionError(
            f"{driver!r}: low answers must be worse than high ones; the answers are {_range(worst_first)}."
        )
    if (below | above).all():
        raise OptionError(
            f"{driver!r}: every answer ({_range(worst_first)}) is low or high. Both are compared with those in the "
            "middle, which needs three answers at least: use other cuts (low=, high=), or leave the driver out."
        )


def _range(answers: Sequence[float]) -> str:
    words = [f"{answer:g}" for answer in answers]
    return ", ".join(words) if len(words) <= 12 else f"{words[0]} … {words[-1]}"
