"""Models in semopy's notation: read it, write it.

semopy (Igolkina & Meshcheryakov 2020, Structural Equation Modeling 27(6)) shares ``=~ ~ ~~`` with lavaan. What differs
is said explicitly in the text that comes out: which loading sets the unit of a construct (the first one without a
modifier, not the first one), and which residuals covary (none, unless ``mimic_lavaan``). Its commands START and
CONSTRAINT and latent variables without ``=~`` have counterparts here; the others are refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from csat.errors import ModelError
from csat.model.expansion import Row, expanded
from csat.model.syntax import statements_of
from csat.model.terms import Constraint, Definition, Term

_NAME = r"[^\W\d][\w.]*"
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
_EFFECT = re.compile(r"\s*(?P<left>[^=~(:]*?)\s*(?P<op>=~|~~|~)(?P<right>.*)")
_TERM = re.compile(rf"\s*(?:(?P<factor>[^*+]*?)\s*\*)?\s*(?P<name>{_NAME}|1)\s*")
_COMMAND = re.compile(
    r"\s*(?:(?P<old>[A-Z][A-Z_]+)\s*(?:\((?P<inside>.*)\))?\s*(?P<names>[\w\s.]*)"
    r"|(?P<new>[a-z_]+)\s*(?P<value>.*?)\s*:\s*(?P<onto>[\w\s.]*)"
    r"|(?P<quoted>[a-z_]+)\s*[\"'`](?P<text>.*)[\"'`]\s*)"
)
#: What semopy can say and a model here cannot, and what to do instead.
_REFUSED = {
    "bound": "bounds on parameters are not available: a variance below 0 is reported instead. Take the line out.",
    "ordinal": "ordered items are named when the model is estimated: csat.sem(…, ordered=[…], estimator='WLSMV').",
    "force": "a variable cannot be forced to be endogenous. Write a relation that explains it.",
}
#: Names that semopy gives to parameters of its own.
_TAKEN = re.compile(r"_[bc]\d+")


@dataclass(frozen=True, slots=True)
class _Relation:
    """One relation of a description; `factor` is what stands before the ``*``, "" if nothing."""

    lhs: str
    op: str
    rhs: str
    factor: str
    position: int


def description_of(given: Any) -> tuple[str, bool, bool]:
    """The description, and semopy's switches mimic_lavaan and cov_diag, of a text or a semopy.Model."""
    if isinstance(given, str):
        return given, False, False
    kind, text = type(given), getattr(given, "description", None)
    if kind.__module__.split(".")[0] != "semopy" or not isinstance(text, str):
        raise ModelError(
            f"A text in semopy's notation, or a semopy.Model made of one, is needed; found {kind.__name__}."
        )
    if kind.__name__ != "Model":
        raise ModelError(f"Of semopy's models, Model can be read; found {kind.__name__}. Pass its description.")
    return text, bool(given.mimic_lavaan), bool(given.cov_diag)


def read_semopy(description: str, *, mimic_lavaan: bool, cov_diag: bool = False) -> str:
    """Text of the same model in lavaan's notation.

    Raises
    ------
    ModelError
        For what cannot be read, or has no counterpart, with its place in the description.
    """
    reader = _Reader(description)
    lines = reader.lines()
    terms = [s for s in statements_of("\n".join(lines)) if isinstance(s, Term)]
    if not terms:
        raise ModelError("The description is empty: at least one relation is needed, such as 'y ~ x'.")
    return "\n".join([*lines, *_unlike_lavaan(terms, mimic_lavaan=mimic_lavaan, cov_diag=cov_diag)])


class _Reader:
    """Reads a description line by line.

    relations : in order. latents : defined without ``=~``. starts : label → starting value. equations : as written.
    """

    def __init__(self, description: str) -> None:
        self.text = description.replace("\N{TILDE OPERATOR}", "~")
        self.relations: list[_Relation] = []
        self.latents: dict[str, int] = {}
        self.starts: dict[str, float] = {}
        self.equations: list[str] = []
        position = 0
        for line in self.text.splitlines(keepends=True):
            code = line.split("#", 1)[0].rstrip()
            if code.strip():
                self._line(code, position)
            position += len(line)

    def fail(self, position: int, message: str) -> ModelError:
        return ModelError.at(self.text, position, message)

    def _line(self, code: str, position: int) -> None:
        effect = _EFFECT.fullmatch(code)
        if effect is not None:
            self._effect(effect, position)
            return
        command = _COMMAND.fullmatch(code)
        if command is None:
            start = position + len(code) - len(code.lstrip())
            raise self.fail(start, "neither a relation (=~, ~, ~~) nor a command of semopy.")
        self._command(command, position)

    def _effect(self, found: re.Match[str], position: int) -> None:
        left, at = found["left"].split(","), position + found.start("right")
        for name in left:
            if not re.fullmatch(_NAME, name.strip()):
                raise self.fail(position + found.start("left"), f"{name.strip()!r} cannot be the name of a variable.")
        for part in found["right"].split("+"):
            term, place = _TERM.fullmatch(part), at + len(part) - len(part.lstrip())
            if term is None:
                raise self.fail(place, f"{part.strip()!r} is no variable, nor a number or label times one.")
            factor = self._factor(term["factor"] or "", place)
            for name in left:
                self.relations.append(_Relation(name.strip(), found["op"], term["name"], factor, place))
            at += len(part) + 1

    def _factor(self, factor: str, place: int) -> str:
        if factor == "START":
            raise self.fail(place, "START* fixes at semopy's own starting value; write the number.")
        named = re.fullmatch(_NAME, factor) and factor.lower() not in ("na", "nan", "inf", "infinity")
        if factor and not named and not _NUMBER.fullmatch(factor):
            raise self.fail(place, f"{factor!r} is neither a number nor a label.")
        return factor

    def _command(self, found: re.Match[str], position: int) -> None:
        name = (found["old"] or found["new"] or found["quoted"]).lower()
        place = position + found.start(next(key for key in ("old", "new", "quoted") if found[key]))
        inside = (found["inside"] or found["value"] or found["text"] or "").strip()
        onto = (found["names"] or found["onto"] or "").split()
        if name == "define":
            name = inside.lower()
        if name == "latent":
            self.latents |= dict.fromkeys(onto, place)
        elif name == "start":
            if not _NUMBER.fullmatch(inside):
                raise self.fail(place, f"a starting value is a number; found {inside!r}.")
            self.starts |= dict.fromkeys(onto, float(inside))
        elif name == "constraint":
            self.equations.append(self._equation(inside, place))
        else:
            raise self.fail(place, _REFUSED.get(name, f"the command {name!r} is not known."))

    def _equation(self, text: str, place: int) -> str:
        if "<" in text or ">" in text or text.count("=") != 1:
            raise self.fail(place, f"only equations are available, such as CONSTRAINT(a = 2*b); found {text!r}.")
        return " == ".join(side.strip().replace("**", "^") for side in text.split("="))

    def lines(self) -> list[str]:
        """The relations in lavaan's notation, one per line."""
        self._check()
        measured: dict[str, list[tuple[str, str]]] = {}
        lines: list[tuple[str, str]] = []
        for relation in self.relations:
            if relation.op == "=~":
                measured.setdefault(relation.lhs, []).append((relation.rhs, relation.factor))
            elif relation.op == "~" and relation.rhs in self.latents:
                measured.setdefault(relation.rhs, []).append((relation.lhs, relation.factor or "NA"))
            else:
                said = self._said(relation.factor) + relation.rhs
                lines.append((f"{relation.lhs} {relation.op} ", said))
        loadings = [(f"{name} =~ ", said) for name, terms in measured.items() for said in self._loadings(terms)]
        return [*_joined([*loadings, *lines]), *self.equations]

    def _check(self) -> None:
        labels = {relation.factor for relation in self.relations}
        for label in self.starts:
            if label not in labels:
                place = self.text.find(label)
                raise self.fail(place, f"no parameter is labelled {label!r}.")
        measured = {relation.lhs for relation in self.relations if relation.op == "=~"}
        causes = {relation.rhs for relation in self.relations if relation.op == "~"}
        for name, place in self.latents.items():
            if name not in measured | causes:
                raise self.fail(place, f"the latent variable {name!r} explains nothing, so it cannot be known.")

    def _loadings(self, terms: Sequence[tuple[str, str]]) -> Iterator[str]:
        """Each loading; the unit is set by a number, else by the first loading without a modifier."""
        factors = [factor for _, factor in terms]
        marker = (
            None if any(map(_NUMBER.fullmatch, factors)) else next((i for i, f in enumerate(factors) if not f), None)
        )
        for i, (indicator, factor) in enumerate(terms):
            free = i == 0 and not _NUMBER.fullmatch(factor) and factor != "NA"
            said = "1*" if i == marker else ("NA*" if free else "") + self._said(factor)
            yield said + indicator

    def _said(self, factor: str) -> str:
        """A modifier with its starting value, ready to stand before a variable."""
        start = f"start({_number(self.starts[factor])})*" if factor in self.starts else ""
        return start + (f"{factor}*" if factor else "")


def _joined(parts: Iterable[tuple[str, str]]) -> list[str]:
    """One line for each left side with its operator, in order of appearance."""
    found: dict[str, list[str]] = {}
    for left, said in parts:
        found.setdefault(left, []).append(said)
    return [left + " + ".join(said) for left, said in found.items()]


def _unlike_lavaan(terms: Sequence[Term], *, mimic_lavaan: bool, cov_diag: bool) -> Iterator[str]:
    """Covariances that one of the two programs takes for granted and the other does not."""
    every = _pairs(_rows(terms))
    latents = {term.lhs for term in terms if term.op == "=~"}
    kept = set(_pairs(_rows(terms, auto_cov_y=False))) | {pair for pair in every if mimic_lavaan and not pair & latents}
    if cov_diag:
        kept -= set(every) - set(_pairs(_rows(terms, orthogonal=True)))
    yield from (" ~~ 0*".join(sorted(pair)) for pair in every if pair not in kept)
    among = _exogenous_pairs(terms)
    if any(pair not in every for pair in among):  # one written out makes all of them ordinary parameters
        written = {frozenset((term.lhs, term.rhs)) for term in terms if term.op == "~~"}
        yield from (" ~~ ".join(sorted(pair)) for pair in among if pair not in written)


def _rows(terms: Sequence[Term], *, auto_cov_y: bool = True, orthogonal: bool = False) -> tuple[Row, ...]:
    return expanded(terms, std_lv=False, fixed_x=True, auto_cov_y=auto_cov_y, orthogonal=orthogonal)


def _pairs(rows: Iterable[Row]) -> dict[frozenset[str], None]:
    """Different variables that covary, in order."""
    return {frozenset((row.lhs, row.rhs)): None for row in rows if row.op == "~~" and row.lhs != row.rhs}


def _exogenous(terms: Sequence[Term]) -> list[str]:
    """Observed variables that explain and are not explained: semopy takes their moments from the sample."""
    latents = {term.lhs for term in terms if term.op == "=~"}
    into = {term.rhs for term in terms if term.op == "=~"} | {term.lhs for term in terms if term.op == "~"}
    causes = dict.fromkeys(term.rhs for term in terms if term.op == "~")
    return [name for name in causes if name not in latents | into]


def _exogenous_pairs(terms: Sequence[Term]) -> list[frozenset[str]]:
    return [frozenset(pair) for pair in combinations(_exogenous(terms), 2)]


def write_semopy(
    syntax: str, terms: Sequence[Term], definitions: Sequence[Definition], constraints: Sequence[Constraint]
) -> str:
    """Text of a model in semopy's notation, with what `csat.sem` takes for granted spelled out.

    Raises
    ------
    ModelError
        For what semopy does not have, with its place in the text.
    """
    _refuse(syntax, terms, definitions)
    rows = [row for row in _rows(terms) if not row.sampled]
    labels = _Labels(row.label for row in rows)
    own = _own_of_semopy(terms)
    lines = [
        (f"{row.lhs} {row.op} ", labels.factor(row, marked=_has_unit(rows, row)) + row.rhs)
        for row in rows
        if row.op != "~1" and not (row.op == "~~" and _plain(row) and frozenset((row.lhs, row.rhs)) in own)
    ]
    written = {frozenset((row.lhs, row.rhs)) for row in _rows(terms) if row.op == "~~"}
    zeros = [" ~~ 0*".join(sorted(pair)) for pair in own if pair not in written]
    means = [f"{row.lhs} ~ {labels.factor(row, marked=True)}1" for row in rows if row.op == "~1"]
    starts = [f"START({_number(value)}) {label}" for label, value in labels.starts.items()]
    known = {row.label for row in rows if row.free}
    return "\n".join([*_joined(lines), *zeros, *means, *starts, *_constraints(syntax, constraints, known)])


def _refuse(syntax: str, terms: Sequence[Term], definitions: Sequence[Definition]) -> None:
    for term in terms:
        odd = next((name for name in (term.lhs, term.rhs) if name and not re.fullmatch(_NAME, name)), None)
        if odd is not None:
            message = f"semopy has no names such as {odd!r}: rename the column to letters, digits and '_'."
            raise ModelError.at(syntax, term.position, message)
    related = {name for term in terms if term.op in ("=~", "~") for name in (term.lhs, term.rhs)}
    for definition in definitions:
        raise ModelError.at(syntax, definition.position, "semopy has no defined parameters (:=).")
    for term in terms:
        fault = ""
        if term.op == "<~":
            fault = "semopy has no composites (<~)."
        elif len(term.modifiers) > 1:
            fault = "semopy has no parameters by group."
        elif any(_TAKEN.fullmatch(label) for label in term.labels):
            fault = f"semopy gives names such as {term.labels[0]!r} itself; choose another label."
        elif term.op == "~~" and not {term.lhs, term.rhs} <= related:
            fault = "semopy knows only variables that stand in some =~ or ~."
        if fault:
            raise ModelError.at(syntax, term.position, fault)


def _own_of_semopy(terms: Sequence[Term]) -> dict[frozenset[str], None]:
    """Variances and covariances that semopy adds by itself, free or from the sample."""
    named = dict.fromkeys(name for term in terms for name in (term.lhs, term.rhs) if name)
    latents = {term.lhs for term in terms if term.op == "=~"}
    explained = {term.rhs for term in terms if term.op == "=~"} | {term.lhs for term in terms if term.op == "~"}
    variances = [frozenset((name,)) for name in named if name in latents | explained]
    among = [frozenset(pair) for pair in combinations([name for name in named if name in latents - explained], 2)]
    return dict.fromkeys([*variances, *among, *_exogenous_pairs(terms)])


def _plain(row: Row) -> bool:
    return row.free and not row.label and row.start is None


def _has_unit(rows: Sequence[Row], row: Row) -> bool:
    """Whether some loading of the construct is a number, so that semopy leaves the others free."""
    return row.op != "=~" or any(other.fixed is not None for other in rows if other.op == "=~" and other.lhs == row.lhs)


class _Labels:
    """Gives labels to parameters that need one in semopy: to have a starting value, or to stay free."""

    def __init__(self, taken: Iterable[str]) -> None:
        self.taken = set(taken)
        self.starts: dict[str, float] = {}

    def factor(self, row: Row, *, marked: bool) -> str:
        """What stands before the variable."""
        if row.fixed is not None:
            return f"{_number(row.fixed)}*"
        label = row.label or ("" if marked and row.start is None else self._new())
        if row.start is not None:
            self.starts[label] = row.start
        return f"{label}*" if label else ""

    def _new(self) -> str:
        label = next(name for i in range(len(self.taken) + 1) if (name := f"p{i + 1}") not in self.taken)
        self.taken.add(label)
        return label


def _constraints(syntax: str, constraints: Sequence[Constraint], known: set[str]) -> Iterator[str]:
    for constraint in constraints:
        for name, position in constraint.names:
            if name not in known:
                raise ModelError.at(syntax, position, f"{name!r} is no free parameter; semopy ties free ones only.")
        yield f"CONSTRAINT({constraint.text.replace('==', ' = ')})"


def _number(value: float | None) -> str:
    """A number without an exponent, as semopy and lavaan both read it."""
    return np.format_float_positional(float(value or 0.0), trim="-")
