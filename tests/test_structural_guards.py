"""`csat.structural.guards`: what must be said before a solution is believed, and what must not be said."""

import json
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from csat.errors import IllConditionedWarning, LatentCovarianceWarning, NegativeVarianceWarning, StandardizedPathWarning
from csat.model import Model
from csat.moments import from_covariance
from csat.structural import sem
from csat.structural.engine.checks import condition_number
from csat.structural.engine.structure import build
from csat.structural.guards import (
    DiscriminantValidityWarning,
    EmpiricalIdentificationWarning,
    FewCasesWarning,
    LatentCorrelationWarning,
    NearCollinearityWarning,
    SmallGroupWarning,
    WeakIndicatorWarning,
    heterotrait_ratios,
)

LAVAAN = Path(__file__).parent / "fixtures" / "lavaan"
TWO = "a =~ a1 + a2 + a3\nb =~ b1 + b2 + b3"
NAMES = ["a1", "a2", "a3", "b1", "b2", "b3"]


def two_constructs(r, load=0.8, weak=None):
    """(6, 6) correlations of two constructs that correlate r."""
    loads = np.zeros((6, 2))
    loads[:3, 0] = loads[3:, 1] = load
    if weak is not None:
        loads[5, 1] = weak
    cov = loads @ np.array([[1, r], [r, 1]]) @ loads.T
    np.fill_diagonal(cov, 1.0)
    return pd.DataFrame(cov, NAMES, NAMES)


def fit(cov, model=TWO, n=500, **options):
    return sem(from_covariance(cov, n, divisor="n"), model, **options)


def told(cov, model=TWO, n=500, **options):
    """The result, and kind → sentence of what was raised."""
    with warnings.catch_warnings(record=True) as raised:
        warnings.simplefilter("always")
        found = fit(cov, model, n, **options)
    return found, {w.category: str(w.message) for w in raised}


def case(name):
    return json.loads((LAVAAN / f"{name}.json").read_text(encoding="utf-8"))


def of_case(name):
    found = case(name)
    matrix = found["result"]["sample_cov"]["all"]
    names = np.atleast_1d(matrix["rows"])
    return told(pd.DataFrame(matrix["values"], names, names), found["model"], found["result"]["nobs"]["all"])


@pytest.mark.parametrize("name", ["sem_hs_cfa_ml", "sem_hs_cfa_stdlv", "sem_hs_second_order", "sem_hs_mimic"])
def test_ordinary_cases_raise_nothing(name):
    found, raised = of_case(name)
    assert raised == {}
    assert found.notes == ()
    assert found.doubts == ()


def test_customer_satisfaction_whose_constructs_are_hardly_told_apart():
    """The reduced model fits without trouble; still its indicators correlate across as much as within."""
    found, raised = of_case("sem_mobi_core_ml")
    assert list(raised) == [DiscriminantValidityWarning]
    assert "QUAL and SAT (0.954), IMAG and QUAL (0.929), IMAG and SAT (0.910)" in raised[DiscriminantValidityWarning]
    assert "250 respondents for 38 free parameters, 6.6 each. 10 or more" in found.notes[-1]


def test_the_whole_model_of_customer_satisfaction():
    found, raised = of_case("sem_ecsi_mobi_ml")
    assert set(raised) == {
        LatentCorrelationWarning, DiscriminantValidityWarning, StandardizedPathWarning, IllConditionedWarning,
        EmpiricalIdentificationWarning, FewCasesWarning,
    }  # fmt: skip
    assert "EXPE and QUAL (0.995), IMAG and EXPE (0.988)" in raised[LatentCorrelationWarning]
    hardly = raised[EmpiricalIdentificationWarning]
    assert all(path in hardly for path in ("SAT ~ EXPE", "SAT ~ QUAL", "VALUE ~ EXPE", "SAT ~ IMAG", "LOY ~ SAT"))
    assert "=~" not in hardly  # loadings are known well
    assert "CUSL2 of LOY (0.13)" in found.notes[-1]
    assert [doubt.kind for doubt in found.doubts if not doubt.raised] == [WeakIndicatorWarning]


def test_the_doubts_of_a_result_are_its_notes():
    found, _ = of_case("sem_ecsi_mobi_ml")
    assert {doubt.text for doubt in found.doubts} == set(found.notes)


def test_a_negative_variance_is_not_told_twice():
    _, raised = of_case("sem_heywood")
    assert list(raised) == [NegativeVarianceWarning]
    assert "leave the variable out, or fix its variance" in raised[NegativeVarianceWarning]


@pytest.mark.parametrize(("r", "warned"), [(0.94, False), (0.96, True), (-0.97, True)])
def test_correlation_near_one(r, warned):
    _, raised = told(two_constructs(r))
    assert (LatentCorrelationWarning in raised) == warned
    if warned:
        assert f"a and b ({r:.3f})" in raised[LatentCorrelationWarning]
        assert "Merge them, drop one" in raised[LatentCorrelationWarning]


def test_a_construct_and_what_measures_it_are_meant_to_go_together():
    cov = two_constructs(0.9801)
    _, raised = told(cov, TWO + "\ng =~ l*a + l*b\ng ~~ 1*g\na ~~ v*a\nb ~~ v*b", std_lv=False)
    assert "a and b" in raised[LatentCorrelationWarning]
    assert "g" not in raised[LatentCorrelationWarning].split("near 1")[1].split(". The")[0].replace("and", "")


def test_correlation_beyond_one_names_the_pair():
    names = ["a1", "a2", "b1", "b2"]
    cov = [[1, 0.5, 0.6, 0.6], [0.5, 1, 0.6, 0.6], [0.6, 0.6, 1, 0.5], [0.6, 0.6, 0.5, 1]]
    _, raised = told(pd.DataFrame(cov, names, names), "a =~ a1 + a2\nb =~ b1 + b2")
    assert set(raised) == {LatentCovarianceWarning, DiscriminantValidityWarning}
    assert "a and b (1.200)" in raised[LatentCovarianceWarning]


@pytest.mark.parametrize(("r", "warned"), [(0.89, False), (0.91, True)])
def test_heterotrait_monotrait_ratio(r, warned):
    """With equal loadings the ratio is the correlation of the constructs."""
    _, raised = told(two_constructs(r))
    assert (DiscriminantValidityWarning in raised) == warned
    if warned:
        assert f"a and b ({r:.3f})" in raised[DiscriminantValidityWarning]


def ratios(cov, model=TWO):
    model = Model(model)
    used = cov.loc[[*model.observed], [*model.observed]].to_numpy()
    return heterotrait_ratios(build(model.expand(), model.observed, [used], [None]).groups[0], used)


def test_ratios_of_indicators_with_other_directions_are_the_same():
    cov = two_constructs(0.5)
    sign = np.array([1, -1, 1, 1, 1, -1])
    turned = cov.mul(sign, axis=0).mul(sign, axis=1)
    assert ratios(turned) == pytest.approx(ratios(cov))
    assert ratios(cov)["a", "b"] == pytest.approx(0.5)


def test_an_indicator_of_both_counts_for_neither():
    cov = two_constructs(0.5)
    assert ratios(cov, TWO + " + a3")["a", "b"] == pytest.approx(0.5)
    assert ratios(cov, "a =~ a1 + a2\nb =~ b1 + b2 + a2") == {}


def test_ratios_against_seminr(oracle):
    """seminr 2.3.4 on the ECSI mobile-phone survey; the sample covariances are those of lavaan's case."""
    theirs = oracle("htmt_mobi")
    blocks = {name: items for name, items in theirs["blocks"].items() if isinstance(items, list)}
    matrix = case("sem_ecsi_mobi_ml")["result"]["sample_cov"]["all"]
    sample = pd.DataFrame(matrix["values"], matrix["rows"], matrix["cols"])
    reference = pd.DataFrame(theirs["htmt"]["values"], theirs["htmt"]["rows"], theirs["htmt"]["cols"])
    ours = ratios(sample, "\n".join(f"{name} =~ {' + '.join(items)}" for name, items in blocks.items()))
    assert len(ours) == 15
    for (one, other), ratio in ours.items():
        assert ratio == pytest.approx(np.nanmax([reference.loc[one, other], reference.loc[other, one]]), abs=1e-10)


@pytest.mark.parametrize(
    ("n", "raised", "noted"), [(64, True, True), (65, False, True), (129, False, True), (130, False, False)]
)
def test_respondents_per_parameter(n, raised, noted):
    found, said = told(two_constructs(0.5), n=n)
    assert found.measures.npar == 13
    assert (FewCasesWarning in said) == raised
    assert any(f"{n} respondents for 13 free parameters" in note for note in found.notes) == noted


def of_groups(sizes, model=TWO, **options):
    """What is raised for groups of given sizes with the same moments."""
    cells = [from_covariance(two_constructs(0.5), n, mean=[0.0] * 6, divisor="n") for n in sizes]
    part = cells[0]
    groups = replace(
        part, by=("g",), domains=tuple((f"g{i}",) for i in range(len(sizes))), domain=np.arange(len(sizes)),
        stratum=np.zeros(len(sizes), int), psu=np.full(len(sizes), -1), n=np.array(sizes),
        gram=np.concatenate([cell.gram for cell in cells]), square=np.concatenate([cell.square for cell in cells]),
        counts=np.concatenate([cell.counts for cell in cells]), units=np.array([sum(sizes)]),
    )  # fmt: skip
    with warnings.catch_warnings(record=True) as raised:
        warnings.simplefilter("always")
        sem(groups, model, group="g", **options)
    return {w.category: str(w.message) for w in raised}


def test_a_small_group_is_named():
    said = of_groups([400, 60])
    assert set(said) == {SmallGroupWarning}
    assert "'g1' (3.2)" in said[SmallGroupWarning]
    assert "g0" not in said[SmallGroupWarning]


def test_shared_parameters_count_in_parts():
    """Of 19 parameters each, 10 are shared, and 2 latent means are added: 9 + 5 + 2 = 16 in the second group."""
    assert of_groups([400, 80], equal=["loadings", "intercepts"]) == {}
    assert set(of_groups([400, 80])) == {SmallGroupWarning}


def test_weak_indicators_are_noted_not_raised():
    found, raised = told(two_constructs(0.5, weak=0.3))
    assert raised == {}
    assert found.notes[0].startswith("Weak indicators (standardized loading below 0.4): b3 of b (0.30)")
    assert "b2" not in found.notes[0]


def test_variables_that_nearly_repeat_each_other():
    cov = two_constructs(0.5)
    twin = pd.DataFrame(np.eye(7), [*NAMES, "a4"], [*NAMES, "a4"])
    twin.loc[NAMES, NAMES] = cov
    twin.loc["a4", NAMES] = twin.loc[NAMES, "a4"] = cov["a3"]
    twin.loc["a4", "a3"] = twin.loc["a3", "a4"] = 1 - 2e-5
    _, raised = told(twin, TWO.replace("a3", "a3 + a4"))
    assert (
        "each other: a3, a4 (smallest" in raised[NearCollinearityWarning] or "a4, a3" in raised[NearCollinearityWarning]
    )
    assert "Drop one of them, or use their mean" in raised[NearCollinearityWarning]


def test_two_indicators_need_a_correlation_to_hang_on():
    """Constructs of two indicators each are identified by their covariance, which is nearly zero here."""
    names = ["a1", "a2", "b1", "b2"]
    loads = np.array([[0.8, 0], [0.7, 0], [0, 0.8], [0, 0.7]])
    for r, warned in ((0.5, False), (0.004, True)):
        cov = loads @ np.array([[1, r], [r, 1]]) @ loads.T
        np.fill_diagonal(cov, 1.0)
        _, raised = told(pd.DataFrame(cov, names, names), "a =~ a1 + a2\nb =~ b1 + b2", n=5000)
        assert (EmpiricalIdentificationWarning in raised) == warned
    assert "a =~ a2" in raised[EmpiricalIdentificationWarning]
    assert "a ~~ b" not in raised[EmpiricalIdentificationWarning]
    assert "add indicators" in raised[EmpiricalIdentificationWarning]


def test_an_equation_that_identifies_makes_the_information_regular():
    """Two indicators of one construct, loadings tied by an equation instead of a label."""
    cov = two_constructs(0.5)[["a1", "a2"]].loc[["a1", "a2"]]
    by_label, first = told(cov, "a =~ 1*a1 + 1*a2")
    by_equation, second = told(cov, "a =~ 1*a1 + k*a2\nk == 1")
    assert first == second == {}
    assert by_equation.condition == pytest.approx(by_label.condition, rel=1e-6)


def test_condition_is_free_of_units_and_of_forbidden_directions():
    information = np.array([[4.0, 1.9, 0.0], [1.9, 1.0, 0.0], [0.0, 0.0, 1.0]])
    free = np.zeros((0, 3))
    plain = condition_number(information, free)
    unit = np.diag([10.0, 1.0, 0.01])
    assert plain == pytest.approx(1.95 / 0.05)
    assert condition_number(unit @ information @ unit, free) == pytest.approx(plain)
    assert condition_number(information, np.array([[0.0, 1.0, 0.0]])) == pytest.approx(1.0)
    assert condition_number(np.zeros((0, 0)), np.zeros((0, 0))) == 1.0
