"""What a structural model is asked that makes no sense, or too much: an answer, or words that say what to do."""

import json
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from csat import Design, read_survey
from csat.errors import ConvergenceError, DesignIgnoredWarning, ModelError, OptionError, SampleError, UnknownColumnError
from csat.model import Model
from csat.report.remarks import remark
from csat.report.words import words
from csat.structural import invariance, modification_indices, sem
from csat.structural.comparing.latent_means import latent_means
from csat.structural.uncertainty.resampling import check_used
from csat.structural.uncertainty.robust import FewUnitsWarning
from csat.structural.undefined import UndefinedWarning

HERE = Path(__file__).parent / "fixtures" / "lavaan"
TWO = "visual =~ x1 + l*x2 + m*x3\ntextual =~ x4 + x5 + x6\ntextual ~ p*visual\n"


@pytest.fixture(scope="module")
def pupils():
    return pd.read_csv(HERE / "rows.csv")


@pytest.fixture(scope="module")
def survey(pupils):
    return read_survey(pupils)


@pytest.fixture(scope="module")
def lavaan():
    return json.loads((HERE / "faults.json").read_text())["cases"]


def worded(note):
    """A note as a Chinese page says it."""
    return words("zh").say(remark(note))


def agrees(found, case):
    table = found.tidy().set_index(["lhs", "op", "rhs"])
    keys = list(zip(*(case["parameters"][key] for key in ("lhs", "op", "rhs")), strict=True))
    mine = table.loc[keys]
    assert mine["estimate"].to_numpy() == pytest.approx(np.array(case["parameters"]["est"]), rel=2e-5, abs=1e-5)
    assert mine["se"].to_numpy() == pytest.approx(np.array(case["parameters"]["se"]), rel=2e-4, abs=1e-6)
    for name in ("chisq", "df", "npar", "cfi"):
        assert getattr(found.measures, name) == pytest.approx(case["measures"][name], rel=1e-6)


@pytest.mark.parametrize(
    ("case", "equations", "options"),
    [
        ("held", "p == .3\n2*p == .6", {}),
        ("held_mlr", "p == .3\n2*p == .6", {"estimator": "MLR"}),
        ("held", "p == .3\np == .3\np/3 == .1", {}),
        ("circle", "l == m\nm == p\nl == p", {}),
        ("circle", "l == m\nm == p", {}),
        ("plain", "p == p", {}),
        ("defined", "gap := l - m\ngap == p - m", {}),
        ("defined", "m == m + diff\nless := p - m\ngap := l - m\ndiff := gap - less", {}),
        ("plain", "l + m == m + l\np == p", {}),
    ],
)
def test_equations_that_repeat_others_change_nothing(survey, lavaan, case, equations, options):
    agrees(sem(survey, TWO + equations, **options), lavaan[case])


def test_what_follows_from_estimates_is_the_same_with_an_equation_written_twice(survey):
    once, twice = (sem(survey, TWO + more, estimator="MLR") for more in ("l == m", "l == m\n2*l == 2*m\nm*m == l*l"))
    assert twice.condition == pytest.approx(once.condition, rel=1e-6)
    one, two = (modification_indices(found).tidy()["mi"].to_numpy() for found in (once, twice))
    assert two == pytest.approx(one, rel=1e-5)
    drawn = [
        sem(survey, TWO + more, se="bootstrap", replicates=60).tidy()["se"].to_numpy()
        for more in ("l == m", "l == m\nm == l")
    ]
    assert drawn[1] == pytest.approx(drawn[0], rel=1e-4, abs=1e-9)


def test_equations_that_contradict_each_other_are_named(survey):
    with pytest.raises(ModelError, match=r"The equations 'p==.1', 'p==.3' contradict each other.*differ by 0.1\)"):
        sem(survey, TWO + "l == m\np == .1\np == .3")
    with pytest.raises(ModelError, match=r"'p\^2==-1' cannot hold: no values of the free parameters satisfy it"):
        sem(survey, TWO + "p^2 == -1")
    with pytest.raises(ModelError, match=r"'p==.3' cannot hold.*fixed by a number"):
        sem(survey, TWO + "x1 ~~ .5*p*x2\np == .3")


def test_an_equation_without_a_value_ends_in_words(survey):
    with pytest.raises(ConvergenceError, match="did not converge"):
        sem(survey, TWO + "log(0 - p) == 1")


@pytest.mark.parametrize("text", ["F =~ x1 + G\nG =~ x2 + F", "F =~ x1 + G\nG =~ x2 + H\nH =~ x3 + F"])
def test_constructs_that_measure_each_other_are_refused(text):
    with pytest.raises(ModelError, match="would measure each other; a construct is measured by its parts"):
        Model(text)


@pytest.mark.parametrize("n", [2, 5, 6])
def test_fewer_respondents_than_variables_under_fiml(pupils, n):
    few = pupils[:n].assign(x1=[np.nan, *pupils["x1"][1:n]])
    with pytest.raises(SampleError, match=f"{n} respondents for 6 variables: their covariances need at least 7"):
        sem(read_survey(few), TWO, missing="fiml")


def test_a_group_of_three_under_fiml_is_named(pupils):
    split = pupils.assign(school=np.where(np.arange(len(pupils)) < 3, "tiny", "rest"))
    with pytest.raises(SampleError, match=r"Group 'tiny': 3 respondents for 6 variables.*joined with another"):
        sem(read_survey(split), TWO, missing="fiml", group="school")


@pytest.mark.parametrize(
    ("options", "text"),
    [({}, "log(0 - p)"), ({}, "p/(p - p)"), ({"missing": "fiml"}, "log(0 - p)"), ({"std_lv": True}, "sqrt(0 - p)")],
)
def test_a_definition_without_a_value_has_no_figures_and_is_warned_of(survey, options, text):
    with pytest.warns(UndefinedWarning, match="has no value at the estimates") as caught:
        found = sem(survey, f"{TWO}q := {text}\nr := q + 1", **options)
    assert len(caught) == 2
    last = found.tidy().query("op == ':='")
    assert last[["estimate", "se", "statistic", "p", "low", "high"]].isna().all().all()
    assert found.notes[0].startswith("q := ")
    assert worded(found.notes[0]).startswith("q在估计值处没有取值")
    assert found.tidy().query("op != ':='")["se"].notna().all()


def test_a_variance_of_zero_has_no_standardized_values_and_leaks_no_warning(survey):
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        warnings.simplefilter("ignore", UserWarning)
        found = sem(survey, "i =~ 1*x1 + 1*x2 + 1*x3\ns =~ 0*x1 + 1*x2 + 2*x3\ns ~~ 0*s + 0*i", means=True)
        table = found.tidy().set_index(["lhs", "op", "rhs"])
    assert np.isnan(table.loc[("s", "~~", "i"), "std_all"])
    assert np.isfinite(table.loc[("i", "=~", "x1"), "std_all"])
    (note,) = (note for note in found.notes if note.startswith("No standardized value of s =~ x1"))
    assert worded(note).startswith("s =~ x1, s =~ x2")


def test_the_first_columns_are_those_that_everyone_asks_for(survey):
    first = (
        "estimator n chisq df p cfi tli nfi gfi rmsea rmsea_low rmsea_high rmsea_p srmr loglik aic bic npar converged "
        "iterations"
    )
    for options in ({}, {"estimator": "MLR"}, {"missing": "fiml"}, {"se": "parametric", "replicates": 50}):
        found = sem(survey, TWO, **options)
        names = list(found.glance())
        assert names[:20] == first.split()
        assert len(set(names)) == len(names)
        columns = "lhs op rhs group label estimate se statistic p low high std_all std_lv"
        assert list(found.tidy())[:13] == columns.split()


def test_labels_that_are_not_there(survey):
    with pytest.raises(ModelError, match=r"no parameter has a label. Write it before a variable: `q\*x`"):
        Model("y ~ x\nq == 1")
    with pytest.raises(ModelError, match="no parameter is labelled 'q'; did you mean 'a'"):
        Model("y ~ a*x\nq == 1")


def designed(pupils, **columns):
    return read_survey(pupils.assign(**columns), design=Design(**{key: key for key in columns}))


def test_few_sampling_units_are_tested_by_t(pupils):
    psu = np.arange(len(pupils)) // 76
    with pytest.warns(FewUnitsWarning, match="by t with 3 degrees of freedom"):
        found = sem(designed(pupils, psu=psu), TWO, estimator="MLR")
    row = found.tidy().query("label == 'p'").iloc[0]
    t = row["estimate"] / row["se"]
    assert row["p"] == pytest.approx(2 * stats.t.sf(abs(t), 3), rel=1e-9)
    assert row["high"] - row["estimate"] == pytest.approx(stats.t.ppf(0.975, 3) * row["se"], rel=1e-9)
    assert found.df == found.parameters.df == 3
    assert found.parameters.tidy().set_index("term").loc["p", "p"] == pytest.approx(row["p"])


def test_without_sampling_units_or_robust_errors_z_is_kept(pupils, survey):
    weight = np.linspace(0.5, 1.5, len(pupils))
    assert sem(designed(pupils, weight=weight), TWO, estimator="MLR").df == np.inf
    assert sem(survey, TWO).df == np.inf


def test_latent_means_have_the_degrees_of_freedom_of_the_design(pupils):
    psu = np.arange(len(pupils)) // 8
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        found = invariance(designed(pupils, psu=psu), "visual =~ x1 + x2 + x3", "school", estimator="MLR")
    figures = latent_means(found.fits[2], [(1, 0)], None).estimates
    assert figures.df == found.fits[2].df == len(set(psu)) - 1


def test_ordered_items_under_a_design(pupils):
    cut = pupils.assign(**{f"x{i}": pd.qcut(pupils[f"x{i}"], 3, labels=False) for i in range(1, 7)})
    source = designed(cut, psu=np.arange(len(cut)) // 20, weight=np.linspace(0.5, 1.5, len(cut)))
    with pytest.warns(DesignIgnoredWarning, match="weights, sampling units; .*'WLSMV' has the same estimates"):
        plain = sem(source, TWO, estimator="DWLS", ordered=True)
    robust = sem(source, TWO, estimator="WLSMV", ordered=True)
    assert robust.tidy()["estimate"].to_numpy() == pytest.approx(plain.tidy()["estimate"].to_numpy())
    assert (plain.df, robust.df) == (np.inf, 15)


def test_numbers_far_from_zero_vary_all_the_same(pupils, survey):
    far = read_survey(pupils.assign(x1=pupils["x1"] + 1e9))
    for options in ({}, {"means": True}, {"missing": "fiml"}, {"missing": "pairwise"}):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            near, found = (sem(source, TWO, **options) for source in (survey, far))
        assert found.measures.chisq == pytest.approx(near.measures.chisq, rel=1e-6)
    with pytest.raises(SampleError, match="No variation in 'x1'"):
        sem(read_survey(pupils.assign(x1=1e9 + 0.1)), TWO)


def test_what_groups_share_needs_groups(survey):
    with pytest.raises(OptionError, match=r"equal=\['loadings'\] says what groups share; name the column .* in group="):
        sem(survey, TWO, equal="loadings")
    with pytest.raises(OptionError, match=r"partial=\['x2 ~1'\] frees what equal=… ties"):
        sem(survey, TWO, group="school", partial="x2 ~1")


def test_words_for_numbers_and_groups_that_are_not_there(survey):
    with pytest.raises(OptionError, match="replicates=0: a whole number, 50 or more, is needed"):
        sem(survey, TWO, se="bootstrap", replicates=0)
    found = sem(survey, TWO)
    for ask in (found.residuals, found.implied, found.latent_covariance):
        with pytest.raises(OptionError, match="group='Old': this model has no groups; leave group out"):
            ask(group="Old")


def test_the_groups_of_a_modifier_are_named(pupils):
    found = sem(read_survey(pupils[::-1]), "visual =~ x1 + c(a, b)*x2 + x3", group="school")
    assert found.groups == ("New", "Old")
    assert found.notes[-1] == "The groups of c(…) in the model are, in this order: New, Old."
    assert worded(found.notes[-1]) == "用c(…)按组书写的参数依次对应以下各组：New, Old。"
    assert found.tidy().set_index(["group", "label"]).index.isin([("New", "a"), ("Old", "b")]).sum() == 2


def test_draws_that_mostly_fail_have_no_standard_errors(pupils):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        found = sem(read_survey(pupils), TWO, se="bootstrap", replicates=60)
    with pytest.raises(ConvergenceError, match="Only 29 of 60 replicates"):
        check_used(replace(found.resampled, used=np.arange(60) < 29))
    check_used(replace(found.resampled, used=np.arange(60) < 30))


def test_nfi_is_not_defined_for_a_model_with_more_degrees_of_freedom_than_its_baseline(survey):
    held = "visual =~ 1*x1 + 1*x2 + 1*x3\nvisual ~~ 1*visual\n" + "".join(f"x{i} ~~ 1*x{i}\n" for i in (1, 2, 3))
    measures = sem(survey, held).measures
    assert (measures.df, measures.baseline_df, measures.npar) == (6, 3, 0)
    assert np.isnan(measures.nfi)
    assert np.isfinite(sem(survey, "visual =~ 1*x1 + 1*x2 + 1*x3").measures.nfi)


def test_robust_indices_of_ordered_items_are_the_same_for_two_copies_of_a_sample(pupils):
    cut = pupils.assign(**{f"x{i}": pd.qcut(pupils[f"x{i}"], 3, labels=False) for i in range(1, 7)})
    twice = pd.concat([cut.assign(copy="a"), cut.assign(copy="b")])
    options = {"estimator": "WLSMV", "ordered": True}
    one = sem(read_survey(cut), TWO.replace("l*", "").replace("m*", "").replace("p*", ""), **options)
    two = sem(read_survey(twice), one.model, group="copy", **options)
    for index in ("cfi_robust", "tli_robust", "rmsea_robust", "baseline_scaling"):
        assert getattr(two.robust.scaled, index) == pytest.approx(getattr(one.robust.scaled, index), rel=1e-3)


def test_means_far_from_the_intercepts_start_where_they_fit(survey, lavaan):
    """From the sample's means the loadings turned round, to a minimum with a negative variance (χ² 146.6)."""
    text = "visual =~ x1 + x2 + x3\ntextual =~ x4 + x5 + x6\nspeed =~ x7 + x8 + x9\n"
    found = sem(survey, text + "x1 ~ 0*1\nvisual ~ 1\nx2 ~ m*1\nx3 ~ m*1")
    agrees(found, lavaan["far_means"])


@pytest.mark.parametrize("product", ["x5:x6", "visual:textual"])
def test_products_are_pointed_to_where_they_are_estimated(survey, product):
    text = f"visual =~ x1 + x2 + x3\ntextual =~ x4 + x5 + x6\nx7 ~ visual + {product}"
    with pytest.raises(UnknownColumnError, match=f"'{product}' is a product, .* use csat.pls, .* csat.regress"):
        sem(survey, text)
