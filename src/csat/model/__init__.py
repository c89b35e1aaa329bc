"""What causes what: structural models in lavaan's notation, as one frozen parameter table.

`Model` reads the text; `Model.expand` adds the parameters that a covariance-based estimator takes for
granted. Maximum likelihood and partial least squares read the same model.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pandas as pd

from csat.errors import ModelError, closest
from csat.model.expansion import EQUAL, Row, expanded
from csat.model.expression import Expression, substituted
from csat.model.presets import PRESETS, preset_syntax, questionnaire_syntax
from csat.model.semopy_text import description_of, read_semopy, write_semopy
from csat.model.syntax import statements_of
from csat.model.terms import Constraint, Definition, Term
from csat.notebooks import InNotebooks

if TYPE_CHECKING:
    import semopy

    from csat.questionnaire import Questionnaire

__all__ = ["EQUAL", "PRESETS", "Constraint", "Definition", "Model", "Row", "Term"]


def _unique(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))


def _meant(name: str, known: Sequence[str]) -> str:
    """Which labels there are, or how to give one."""
    if known:
        return f"did you mean {closest(name, known)}?"
    return f"no parameter has a label. Write it before a variable: `{name}*x`."


@dataclass(frozen=True, slots=True, repr=False)
class Model(InNotebooks):
    """A structural model.

    Parameters
    ----------
    syntax : the model in lavaan's notation. ``image =~ C11 + C12`` (image is measured by), ``value <~ C31 + C32`` (is
        composed of), ``loyalty ~ image + value`` (is regressed on), ``C11 ~~ C12`` (covaries with), ``C11 ~ 1``
        (intercept), ``ind := a*b`` (defined); ``image:value`` in a path is a product, for `csat.pls`. Before a
        variable: ``1*x`` fixes, ``NA*x`` frees, ``a*x`` labels (equal labels are one parameter; ``"a"*x`` and
        ``label("a")*x`` are the same), ``equal("F =~ x")*z`` is another parameter once more, ``start(0.5)*x`` starts;
        ``c(a, b)*x`` says it group by group. ``a == 2*b`` ties labelled parameters. ``#`` begins a comment; ``;`` ends
        a statement. A name with blanks, hyphens, brackets or a leading digit stands between backticks: ``F =~ `Q1-2` +
        `3rd item` ``.

    Raises
    ------
    ModelError
        With line, character and the offending text.

    Examples
    --------
    >>> m = Model("quality =~ C21 + C22 + C23; loyalty =~ C51 + C52; loyalty ~ b*quality")
    >>> m.latents, m.exogenous
    (('quality', 'loyalty'), ('quality',))
    """

    syntax: str
    terms: tuple[Term, ...] = field(init=False)
    definitions: tuple[Definition, ...] = field(init=False)
    constraints: tuple[Constraint, ...] = field(init=False)

    def __post_init__(self) -> None:
        if not isinstance(self.syntax, str):
            raise ModelError(f"A model is a text such as 'loyalty ~ quality'; found {type(self.syntax).__name__}.")
        statements = statements_of(self.syntax)
        terms = tuple(s for s in statements if isinstance(s, Term))
        object.__setattr__(self, "terms", terms)
        object.__setattr__(self, "definitions", tuple(s for s in statements if isinstance(s, Definition)))
        object.__setattr__(self, "constraints", tuple(s for s in statements if isinstance(s, Constraint)))
        if not terms:
            raise ModelError("The model is empty. Write at least one relation, for example 'loyalty ~ satisfaction'.")
        self._check_terms()
        self._check_labels()
        object.__setattr__(self, "constraints", tuple(self._in_parameters()))
        if not self.observed:
            message = "no variable of the data: every name stands left of =~ or <~ somewhere. Add indicators."
            raise ModelError.at(self.syntax, terms[0].position, message)

    @classmethod
    def preset(
        cls, name: str, indicators: Mapping[str, str | Sequence[str]], *, without: str | Sequence[str] = ()
    ) -> Model:
        """Make a published satisfaction model of one's own questions.

        Parameters
        ----------
        name : "ecsi", the European index (image, expectation, quality, value, satisfaction, complaints, loyalty);
            "acsi", the American one (without image); "study", the operator's (image, quality, value, fairness →
            satisfaction → complaints, loyalty). `csat.model.PRESETS` has their paths.
        indicators : construct → the questions that measure it. A single question is taken as free of error.
        without : constructs that were not asked; their paths go with them.

        Raises
        ------
        ModelError
            For a construct that the model does not have, one without questions, or a question used twice.

        References
        ----------
        Tenenhaus, Esposito Vinzi, Chatelin & Lauro (2005), Computational Statistics & Data Analysis 48(1), 159–205;
        Fornell, Johnson, Anderson, Cha & Bryant (1996), Journal of Marketing 60(4), 7–18.

        Examples
        --------
        >>> asked = {"quality": ["Q1", "Q2"], "value": ["V1", "V2"], "satisfaction": ["S1", "S2"], "loyalty": ["L1"]}
        >>> print(Model.preset("acsi", asked, without=["expectation", "complaints"]).syntax)
        quality =~ Q1 + Q2
        value =~ V1 + V2
        satisfaction =~ S1 + S2
        loyalty =~ L1
        value ~ quality
        satisfaction ~ quality + value
        loyalty ~ satisfaction
        """
        return cls(preset_syntax(name, indicators, without))

    @classmethod
    def from_questionnaire(
        cls,
        questionnaire: Questionnaire,
        paths: str | Mapping[str, str | Sequence[str]] | None = None,
        *,
        indicators: Mapping[str, str | Sequence[str]] | None = None,
        mode: str | Mapping[str, str] = "reflective",
        without: str | Sequence[str] = (),
    ) -> Model:
        """Make a model whose constructs are measured as a questionnaire says.

        Parameters
        ----------
        questionnaire : with dimensions, and perhaps a [model].
        paths : who explains whom: a text such as "loyalty ~ satisfaction" (anything that a model may say), a table
            ``{"satisfaction": ["quality", "value"]}``, or a published model by its name, as in `preset`; None: the
            study's [model] as it stands.
        indicators : construct → questions, before what the study says. A name of the paths is looked up here, then in
            the measurement part of the study's [model], then among its dimensions (with all items below); an item or a
            column stands for itself.
        mode : "reflective" (``=~``) or "formative" (``<~``), for all constructs or construct by construct.
        without : constructs of a published model that were not asked.

        Raises
        ------
        ModelError
            For a name that the questionnaire does not have, with its place; for an item that would measure two
            constructs.
        """
        syntax = questionnaire_syntax(questionnaire, paths, indicators, mode, without)
        return cls(syntax)

    @classmethod
    def from_semopy(cls, description: str | semopy.Model, *, mimic_lavaan: bool | None = None) -> Model:
        """Read a model in semopy's notation; what semopy takes for granted is spelled out.

        Parameters
        ----------
        description : text, or a `semopy.Model`.
        mimic_lavaan : semopy's switch: residuals of observed variables that explain nothing covary. None: as the
            semopy.Model has it; for a text, not.

        Raises
        ------
        ModelError
            For bounds, inequalities, ordered items and other commands without a counterpart, with their place.
        """
        text, mimics, diagonal = description_of(description)
        mimics = mimics if mimic_lavaan is None else mimic_lavaan
        return cls(read_semopy(text, mimic_lavaan=mimics, cov_diag=diagonal))

    def to_semopy(self) -> str:
        """Text of the model in semopy's notation, with what `csat.sem` takes for granted spelled out.

        Raises
        ------
        ModelError
            For definitions, composites and parameters by group, which semopy does not have, with their place.
        """
        return write_semopy(self.syntax, self.terms, self.definitions, self.constraints)

    def _check_terms(self) -> None:
        seen: set[tuple[str, ...]] = set()
        kinds: dict[str, str] = {}
        for term in self.terms:
            pair = sorted((term.lhs, term.rhs)) if term.op == "~~" else (term.lhs, term.rhs)
            key = (term.op, *pair)
            fault = ""
            if key in seen:
                shown = f"{term.lhs} {term.op} {term.rhs}".strip()
                fault = f"{shown!r} is written twice; write one term with all modifiers."
            elif term.op in ("=~", "<~", "~") and term.lhs == term.rhs:
                fault = f"{term.lhs!r} cannot stand on both sides of {term.op!r}."
            elif term.op in ("=~", "<~") and kinds.setdefault(term.lhs, term.op) != term.op:
                fault = f"{term.lhs!r} is both measured (=~) and composed (<~)."
            elif term.op == "=~" and term.rhs in kinds and term.lhs in self._parts(term.rhs):
                fault = f"{term.lhs!r} and {term.rhs!r} would measure each other; a construct is measured by its parts."
            if fault:
                raise ModelError.at(self.syntax, term.position, fault)
            seen.add(key)

    def _parts(self, construct: str) -> set[str]:
        """What a construct is measured by, directly or through other constructs."""
        found: set[str] = set()
        new = {construct}
        while new:
            new = {term.rhs for term in self.terms if term.op == "=~" and term.lhs in new} - found
            found |= new
        return found

    def _check_labels(self) -> None:
        known = list(self.labels)
        for definition in self.definitions:
            if definition.name in known:
                raise ModelError.at(self.syntax, definition.position, f"{definition.name!r} already names a parameter.")
            self._check_names(definition.names, known)
            known.append(definition.name)
        for constraint in self.constraints:
            self._check_names(constraint.names, known)
            if not any(name in known for name, _ in constraint.names):
                raise ModelError.at(self.syntax, constraint.position, "a constraint names no parameter.")

    def _in_parameters(self) -> Iterator[Constraint]:
        """Constraints with what is defined written out."""
        meaning: dict[str, Expression] = {}
        names: dict[str, tuple[tuple[str, int], ...]] = {}
        for definition in self.definitions:
            meaning[definition.name] = substituted(definition.expression, meaning)
            names[definition.name] = tuple(at for one in definition.names for at in names.get(one[0], (one,)))
        for constraint in self.constraints:
            used = tuple(at for one in constraint.names for at in names.get(one[0], (one,)))
            left, right = (substituted(side, meaning) for side in (constraint.left, constraint.right))
            yield replace(constraint, left=left, right=right, names=used)

    def _check_names(self, names: Iterable[tuple[str, int]], known: list[str]) -> None:
        for name, position in names:
            if name not in known:
                message = f"no parameter is labelled {name!r}; {_meant(name, known)}"
                raise ModelError.at(self.syntax, position, message)

    @property
    def labels(self) -> tuple[str, ...]:
        """Labels of parameters, in order of appearance."""
        return _unique(label for term in self.terms for label in term.labels)

    @property
    def latents(self) -> tuple[str, ...]:
        """Constructs: what stands left of ``=~`` or ``<~``."""
        return _unique(term.lhs for term in self.terms if term.op in ("=~", "<~"))

    @property
    def observed(self) -> tuple[str, ...]:
        """Variables that the data must hold: first indicators, then the others, in order of appearance."""
        latent = set(self.latents)
        indicators = [term.rhs for term in self.terms if term.op in ("=~", "<~")]
        others = [name for term in self.terms for name in (term.lhs, term.rhs) if name]
        return _unique(name for name in [*indicators, *others] if name not in latent)

    @property
    def endogenous(self) -> tuple[str, ...]:
        """Variables that stand left of a ``~``."""
        return _unique(term.lhs for term in self.terms if term.op == "~")

    @property
    def exogenous(self) -> tuple[str, ...]:
        """Constructs and observed predictors that no ``~`` and no ``=~`` explains."""
        explained = {*self.endogenous, *(term.rhs for term in self.terms if term.op in ("=~", "<~"))}
        predictors = [term.rhs for term in self.terms if term.op == "~"]
        return _unique(name for name in [*self.latents, *predictors] if name not in explained)

    @property
    def groups(self) -> int:
        """Groups that modifiers such as ``c(a, b)*x`` speak of; 1 if none does."""
        return max(len(term.modifiers) for term in self.terms)

    @property
    def table(self) -> pd.DataFrame:
        """The relations as written: lhs, op, rhs, label, fixed, free, start; definitions and constraints last.

        Where a term speaks of several groups, of the first.
        """
        columns = ["lhs", "op", "rhs", "label", "fixed", "free", "start"]
        said = ((term, term.modifier(0)) for term in self.terms)
        written = [[t.lhs, t.op, t.rhs, m.label, m.fixed, m.free, m.start] for t, m in said]
        defined = [[d.name, ":=", d.text, d.name, None, False, None] for d in self.definitions]
        bound = (c.text.split("==") for c in self.constraints)
        tied = [[left, "==", right, "", None, False, None] for left, right in bound]
        return pd.DataFrame([*written, *defined, *tied], columns=columns).astype({"fixed": float, "start": float})

    def indicators(self, construct: str) -> tuple[str, ...]:
        """What a construct is measured by (``=~``) or composed of (``<~``)."""
        return tuple(term.rhs for term in self.terms if term.lhs == construct and term.op in ("=~", "<~"))

    def expand(
        self,
        *,
        std_lv: bool = False,
        fixed_x: bool = True,
        auto_cov_y: bool = True,
        orthogonal: bool = False,
        means: bool = False,
        groups: int = 1,
        equal: Collection[str] = (),
        partial: Collection[str] = (),
        reference: int = 0,
    ) -> tuple[Row, ...]:
        """Every parameter of the model, those taken for granted included; see `csat.model.expansion`."""
        return expanded(
            self.terms,
            std_lv=std_lv,
            fixed_x=fixed_x,
            auto_cov_y=auto_cov_y,
            orthogonal=orthogonal,
            means=means,
            groups=groups,
            equal=equal,
            partial=partial,
            reference=reference,
        )

    def __repr__(self) -> str:
        return f"Model: {len(self.latents)} constructs, {len(self.observed)} observed variables\n{self.syntax.strip()}"
