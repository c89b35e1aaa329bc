"""`Regression`: one shape for the results of linear, binary and ordered regressions, of one group or of several."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from csat.drivers.linear.joint import wald
from csat.errors import OptionError, UnknownColumnError
from csat.moments import as_names, shown
from csat.results import Estimates, Shown, Test, insert_before

#: A number, with `by` an array (G,) of them.
PerGroup = Any
#: What stands for all groups but one where groups are compared.
OTHERS = "others"
#: Names of columns of a regression's tables beyond those of every result: no grouping column may have them.
OWN_COLUMNS = frozenset({
    "beta", "partial", "semipartial", "vif", "tolerance", "outcome", "family", "r2", "adj_r2", "sigma", "f", "df1",
    "df2", "aic", "bic", "loglik", "condition", "rule", "version", "gvif", "gvif_scaled", "dimension",
    "condition_index", "share", "refined", "ungrouped", "modelled", "levels", "null_loglik", "r2_mcfadden",
    "r2_cox_snell", "r2_nagelkerke", "rounds",
})  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Regression(Shown):
    """A fitted regression; with `by` one for each of G groups.

    What is said of a whole regression is a number, with `by` an array (G,). What is said of a coefficient has a place
    for each of the K coefficients, group by group, intercept first.

    outcome : dependent variable. family : "linear", "logit" or "ordered".
    coefficients : (K,), over groups with their joint covariance, so that `coefficients.contrast` compares them.
    owner : (K,) the term that each coefficient belongs to; "" for intercepts and thresholds.
    beta : (K,) standardized coefficients. partial, semipartial : (K,) correlations with the outcome, the other drivers
        taken out of both, or of the driver only. vif, tolerance : (K,) variance inflation, and 1 over it. NaN where
        they are not defined, as for intercepts.
    terms : a row per term (and group): its joint test and generalised variance inflation.
    tests : (G,) all slopes are zero.
    n : respondents. left_out : respondents without an answer to one of the variables; NaN if not known by group.
    n_eff : (Σw)²/Σw² (Kish 1965); NaN where single weights are not known.
    r2, adj_r2 : explained share. sigma : weighted residual standard deviation. NaN where they are not defined.
    loglik, aic, bic : of the model. condition : largest condition index.
    collinearity : a row per dimension and coefficient: condition index and share of the coefficient's variance; None
        where it is not defined.
    further : more columns of `glance`, each a number or (G,).
    """

    outcome: str
    family: str
    coefficients: Estimates
    owner: tuple[str, ...]
    beta: np.ndarray
    partial: np.ndarray
    semipartial: np.ndarray
    vif: np.ndarray
    tolerance: np.ndarray
    terms: pd.DataFrame
    tests: tuple[Test, ...]
    n: PerGroup
    left_out: PerGroup
    n_eff: PerGroup
    r2: PerGroup
    adj_r2: PerGroup
    sigma: PerGroup
    loglik: PerGroup
    aic: PerGroup
    bic: PerGroup
    condition: PerGroup
    collinearity: pd.DataFrame | None = None
    further: Mapping[str, Any] = field(default_factory=dict)

    @property
    def test(self) -> Test:
        """All slopes are zero; with `by`, take `tests`."""
        if len(self.tests) != 1:
            raise OptionError(f"There are {len(self.tests)} regressions here, one per group: see .tests.")
        return self.tests[0]

    @property
    def groups(self) -> list[tuple[Any, ...]]:
        """(G,) labels of the groups; one empty tuple without `by`."""
        size = len(self.coefficients.term) // len(self.tests)
        columns = list(self.coefficients.keys.values())
        return [tuple(column[g * size] for column in columns) for g in range(len(self.tests))]

    def tidy(self) -> pd.DataFrame:
        """A row per coefficient, with what only regressions have before the ``note``."""
        own = {name: getattr(self, name) for name in ("beta", "partial", "semipartial", "vif", "tolerance")}
        return insert_before(self.coefficients.tidy(), "note", own)

    def glance(self) -> pd.DataFrame:
        """One row about the fit of each regression."""
        made = self.coefficients.provenance
        facts: dict[str, Any] = {name: getattr(self, name) for name in ("outcome", "family", "n", "left_out")}
        facts |= {name: getattr(self, name) for name in ("r2", "adj_r2", "sigma")}
        facts |= {
            "f": [test.statistic for test in self.tests],
            "df1": [test.df for test in self.tests],
            "df2": [test.df2 for test in self.tests],
            "p": [test.p for test in self.tests],
        }
        facts |= {name: getattr(self, name) for name in ("aic", "bic", "loglik", "condition", "n_eff")}
        facts |= {"rule": made.sample, "se": made.variance, "version": made.version, **self.further}
        labels = zip(*self.groups, strict=True)
        named = {key: list(column) for key, column in zip(self.coefficients.keys, labels, strict=True)}
        return pd.DataFrame({**named, **facts}, index=range(len(self.tests)))

    def test_of(self, terms: str | Sequence[str], group: Any = None) -> Test:
        """Test that all coefficients of some terms are zero: Wald's F on the covariance chosen.

        Parameters
        ----------
        terms : one or several, as they were named in `drivers` ("brand", "brand:P1"), or single coefficients.
        group : with `by`, whose regression: a label, or a tuple of labels.

        Raises
        ------
        OptionError, UnknownColumnError
            If there is no such term or group.
        """
        wanted = as_names(terms, "terms")
        place = self._position(group)
        size = len(self.owner) // len(self.tests)
        own = range(place * size, (place + 1) * size)
        at = [i for i in own if {self.owner[i], self.coefficients.term[i]} & set(wanted)]
        known = list(dict.fromkeys([*(self.owner[i] for i in own if self.owner[i]), *self.coefficients.term[:size]]))
        for name in wanted:
            if name not in known:
                raise UnknownColumnError.among(name, known, "this regression")
        if not at:
            raise OptionError("No term is named: name at least one.")
        df2 = float(np.broadcast_to(self.coefficients.df, len(self.owner))[at[0]])
        f = wald(self.coefficients.estimate, self.coefficients.joint, at) / len(at)
        return Test(f"{', '.join(wanted)}: all coefficients are zero", f, len(at), df2)

    def differences(self, against: Any = None) -> Estimates:
        """How the coefficients differ between groups: driver × group, with standard errors.

        Parameters
        ----------
        against : reference group: its label, or a tuple of labels. None: the mean of the coefficients of all other
            groups, each counting once.

        Returns
        -------
        Estimates
            Coefficient of the group minus that of the reference, with the joint covariance of both: groups may share
            sampling units. Groups without coefficients, or without standard errors, are not among the others. `n` is
            the smaller base of the two sides, that of the others being all of their respondents.

        Raises
        ------
        OptionError
            Without `by`, or with a single group.
        UnknownColumnError
            If `against` is none of the groups.
        """
        labels, size = self.groups, len(self.owner) // len(self.tests)
        if len(labels) < 2:
            raise OptionError("Differences are between groups: ask for a regression with by=… two groups or more.")
        reference = None if against is None else self._position(against)
        own = [g for g in range(len(labels)) if g != reference]
        bases, matrix = self.coefficients.n.reshape(len(labels), size), np.zeros((len(own), len(labels)))
        n = np.zeros((len(own), size), int)
        for row, g in enumerate(own):
            peers = self._others(g) if reference is None else [reference]
            matrix[row, peers] = -1 / len(peers)
            matrix[row, g] = 1
            n[row] = np.minimum(bases[g], bases[peers].sum(axis=0))
        word = OTHERS if reference is None else " × ".join(map(str, labels[reference]))
        keys: dict[str, tuple[Any, ...]] = {
            key: tuple(labels[g][i] for g in own for _ in range(size)) for i, key in enumerate(self.coefficients.keys)
        }
        keys["against"] = (word,) * (len(own) * size)
        term = self.coefficients.term[:size] * len(own)
        return replace(self.coefficients.contrast(np.kron(matrix, np.eye(size)), term, keys), n=n.ravel())

    def _others(self, group: int) -> list[int]:
        """Positions of the groups that one is compared with: those with standard errors, if there are any."""
        others = [g for g in range(len(self.tests)) if g != group]
        known = np.isfinite(self.coefficients.se.reshape(len(self.tests), -1)).any(axis=1)
        return [g for g in others if known[g]] or others

    def _position(self, group: Any) -> int:
        """Place of a group, given by its label or labels."""
        labels = self.groups
        if group is None and len(labels) == 1:
            return 0
        asked = group if isinstance(group, tuple) else (group,)
        if group is None:
            each = [repr(label[0] if len(label) == 1 else label) for label in labels]
            more = f", … ({len(each) - 8} more)" if len(each) > 8 else ""
            raise OptionError(f"{len(each)} groups: pass group={each[0]}. There are {', '.join(each[:8])}{more}.")
        if not all(isinstance(label, str) for label in asked):
            raise OptionError(f"A group is named by its label, or a tuple of labels; found {shown(group)}.")
        if asked in labels:
            return labels.index(asked)
        raise UnknownColumnError.among(
            " × ".join(asked), [" × ".join(map(str, label)) for label in labels], "the groups"
        )
