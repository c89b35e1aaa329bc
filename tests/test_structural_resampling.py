"""Structural models refitted on replicates: agreement with other roads, laws of draws, counts, errors in words."""

import warnings

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

import csat
from csat.design import Design, Replication
from csat.errors import ConvergenceError, DesignIgnoredWarning, OptionError, SampleError
from csat.replicates.intervals import acceleration_of, interval_of, quantile
from csat.structural.engine.discrepancy import MaximumLikelihood, Sample
from csat.structural.engine.fit import minimise_many
from csat.structural.engine.start import starting_values
from csat.structural.uncertainty.replicated import under_the_model
from csat.structural.uncertainty.resampling import ReplicatesWarning

MODEL = "f =~ a + b + c\ng =~ d + e + h\ng ~ path*f\ndouble := 2*path"
ITEMS = list("abcdeh")
pytestmark = [
    pytest.mark.filterwarnings("ignore::csat.structural.guards.DiscriminantValidityWarning"),
    pytest.mark.filterwarnings("ignore::csat.structural.guards.FewCasesWarning"),
]


def answers(n=400, seed=5, skewed=False):
    """Six items of two constructs, in two branches and 24 halls of two strata, with weights."""
    rng = np.random.default_rng(seed)
    drawn = rng.exponential(1.0, (n, 2)) if skewed else rng.normal(0, 1, (n, 2))
    latent = drawn @ np.array([[1.0, 0.5], [0.0, 0.8]])
    items = latent @ np.kron(np.eye(2), [[1.0, 0.8, 1.1]]) + rng.normal(0, 0.8, (n, 6)) + 3.0
    hall = rng.integers(0, 24, n)
    return pd.DataFrame(items, columns=ITEMS).assign(
        x=rng.normal(0, 1, n), branch=rng.choice(["p", "q"], n), hall=hall.astype(str),
        stratum=np.where(hall < 12, "s1", "s2"), w=rng.gamma(4.0, 0.25, n),
    )  # fmt: skip


@pytest.fixture(scope="module")
def data():
    return answers()


@pytest.fixture(scope="module")
def drawn(data):
    return csat.sem(csat.read_survey(data), MODEL, se="bootstrap", replicates=600, bollen_stine=True)


def test_errors_of_normal_answers_agree_with_the_formula(data, drawn):
    plain = csat.sem(csat.read_survey(data), MODEL)
    assert_allclose(drawn.tidy()["estimate"], plain.tidy()["estimate"])
    free = plain.tidy()["se"].to_numpy() > 0
    ratio = drawn.tidy()["se"][free] / plain.tidy()["se"][free]
    assert abs(ratio.mean() - 1) < 0.05
    assert ((ratio > 0.8) & (ratio < 1.25)).all()
    assert (drawn.tidy()["se"][~free] == 0).all()


def test_errors_of_skewed_clustered_answers_agree_with_the_sandwich():
    design = {"weight": "w", "psu": "hall", "stratum": "stratum"}
    frame = answers(700, 8, skewed=True)
    robust = csat.sem(csat.read_survey(frame, design=Design(**design)), MODEL, estimator="MLR").tidy()["se"]
    jackknife = Design(**design, replication=Replication("JKn"))
    for source, options, near in (
        (csat.read_survey(frame, design=jackknife), {"se": "replicates"}, 0.2),
        (csat.read_survey(frame, design=Design(**design)), {"se": "bootstrap", "replicates": 400}, 0.3),
    ):
        with pytest.warns(DesignIgnoredWarning, match="strata, sampling units; tests and fit measures of"):
            found = csat.sem(source, MODEL, means=True, **options).tidy()["se"]
        free = robust > 0
        assert abs((found[free] / robust[free]).mean() - 1) < 0.1
        assert (np.abs(found[free] / robust[free] - 1) < near).all()


def test_draws_of_a_path_model_are_regressions_on_drawn_rows(data):
    """Replicates made by hand: every draw's path is the weighted regression on it, the intercept its mean."""
    rng = np.random.default_rng(2)
    counts = rng.multinomial(len(data) - 1, np.full(len(data), 1 / len(data)), size=60).T * len(data) / (len(data) - 1)
    columns = tuple(f"r{i}" for i in range(60))
    frame = pd.concat([data, pd.DataFrame(counts, columns=columns)], axis=1)
    source = csat.read_survey(frame, design=Design(replicates=columns, replication=Replication("subbootstrap")))
    found = csat.sem(source, "a ~ b + x", se="replicates", means=True)
    table = found.tidy()
    draws = found.resampled.values((), "raw")
    z = np.column_stack([np.ones(len(data)), data[["b", "x"]]])
    for r in range(0, 60, 20):
        weight = counts[:, r][:, None]
        expected = np.linalg.solve(z.T @ (weight * z), z.T @ (weight[:, 0] * data["a"]))
        names = [("a", "~1", ""), ("a", "~", "b"), ("a", "~", "x")]
        at = [table.index[(table[["lhs", "op", "rhs"]] == name).all(axis=1)][0] for name in names]
        assert_allclose(draws[r, at], expected, rtol=1e-6, atol=1e-7)
    given = table.eval("lhs in ['b', 'x'] and rhs in ['b', 'x', '']")
    assert (table.loc[given, "se"] == 0).all()  # moments of predictors are taken as given
    assert (found.standardized().loc[table["op"] == "~", "se"] > 0).all()


def test_given_weights_are_those_made_of_the_units(data):
    made = Design(psu="hall", stratum="stratum", replication=Replication("JKn"))
    first = csat.read_survey(data, design=made)
    units = data.groupby(["stratum", "hall"]).ngroups
    sizes = data.groupby("stratum")["hall"].nunique()
    columns, rscales = {}, []
    for stratum, hall in sorted(data.groupby(["stratum", "hall"]).groups):
        size = sizes[stratum]
        own, same = (data["stratum"] == stratum) & (data["hall"] == hall), data["stratum"] == stratum
        columns[f"j{len(columns)}"] = np.where(own, 0.0, np.where(same, size / (size - 1), 1.0))
        rscales.append((size - 1) / size)
    frame = pd.concat([data, pd.DataFrame(columns)], axis=1)
    given = Design(replicates=tuple(columns), replication=Replication("JKn", rscales=rscales, df=units - 2))
    second = csat.read_survey(frame, design=given)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DesignIgnoredWarning)
        one, other = (csat.sem(source, MODEL, se="replicates") for source in (first, second))
    assert_allclose(one.vcov, other.vcov, rtol=1e-6, atol=1e-10)
    assert_allclose(one.tidy()["low"], other.tidy()["low"], rtol=1e-6)
    # Few units: Student's t with their degrees of freedom, not the normal distribution.
    row = one.tidy().query("label == 'path'").iloc[0]
    assert (row["high"] - row["estimate"]) / row["se"] == pytest.approx(2.0739, abs=1e-4)  # t with 22 df


def test_a_saved_summary_draws_the_same_units_as_the_rows(data):
    source = csat.read_survey(data, design=Design(psu="hall", stratum="stratum"))
    summary = source.groups(ITEMS, (), "listwise")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DesignIgnoredWarning)
        one, other = (csat.sem(which, MODEL, se="bootstrap", replicates=80) for which in (source, summary))
    assert_allclose(one.resampled.theta, other.resampled.theta, rtol=1e-6, atol=1e-7)
    assert one.glance()["variance"].item() == "bootstrap of sampling units, 80 replicates"


def test_the_seed_sets_the_draws(data):
    source = csat.read_survey(data)
    one, same, other = (
        csat.sem(source, MODEL, se="bootstrap", replicates=60, seed=seed).tidy()["se"] for seed in (1, 1, 2)
    )
    assert (one == same).all()
    assert not np.allclose(one, other)


def test_ties_and_equations_hold_in_every_draw(data):
    tied = "f =~ a + k*b + l*c\ng =~ d + k*e + m*h\nk == l - 0.2"
    found = csat.sem(csat.read_survey(data), tied, se="bootstrap", replicates=80)
    draws = found.resampled.theta[found.resampled.used]
    at = {name: i for i, name in enumerate(found.layout.names)}
    assert_allclose(draws[:, at["k"]], draws[:, at["l"]] - 0.2, atol=1e-7)
    assert found.vcov[at["k"], at["k"]] == pytest.approx(found.vcov[at["k"], at["l"]], rel=1e-6)
    table = found.tidy()
    assert table.loc[table["label"] == "k", "se"].nunique() == 1
    assert found.glance()["npar"].item() == len(found.layout.names) - 1


def test_groups_move_apart_and_share_what_they_share(data):
    found = csat.sem(
        csat.read_survey(data), "f =~ a + b + c", group="branch", equal="loadings", se="bootstrap", replicates=400
    )
    names = found.layout.names
    assert len(names) == 16
    spread = np.sqrt(np.diag(found.vcov))
    corr = found.vcov / np.outer(spread, spread)
    one, other = names.index("f ~~ f (p)"), names.index("f ~~ f (q)")
    apart = [names.index(f"a ~1 ({label})") for label in "pq"]
    assert abs(corr[apart[0], apart[1]]) < 0.2  # other respondents
    assert corr[one, other] > 0.1  # the same loadings
    assert (found.tidy()["low"] <= found.tidy()["high"]).all()


def test_intervals_follow_the_figure(drawn):
    table = drawn.tidy()
    path, double = (table.loc[table["label"] == name].iloc[0] for name in ("path", "double"))
    for end in ("estimate", "se", "low", "high"):
        assert double[end] == pytest.approx(2 * path[end])
    for method in ("percentile", "bias-corrected", "bca", "normal"):
        ends = drawn.intervals(method)
        assert list(ends.columns) == ["lhs", "op", "rhs", "group", "label", "estimate", "se", "low", "high"]
        inside = (ends["low"] <= ends["estimate"]) & (ends["estimate"] <= ends["high"])
        assert inside.all()
        assert (ends["low"] < ends["high"]).sum() == (table["se"] > 0).sum()
    standard = drawn.intervals("bca", "all")
    own = standard.query("op == '~~' and lhs == rhs and lhs == 'f'").iloc[0]
    assert (own["estimate"], own["se"], own["low"], own["high"]) == (1.0, 0.0, 1.0, 1.0)


def test_variances_lean_to_the_right_and_bca_more_so():
    frame = answers(60, 3, skewed=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = csat.sem(csat.read_survey(frame), "a ~~ a\nb ~~ b\na ~~ b", se="bootstrap", replicates=2000)
    ends = {
        method: found.intervals(method).query("lhs == 'a' and rhs == 'a'").iloc[0] for method in ("percentile", "bca")
    }
    assert ends["bca"]["high"] > ends["percentile"]["high"]
    assert ends["bca"]["low"] > ends["percentile"]["low"]
    # Σ(s − s̄)³ / (6·(Σ(s − s̄)²)^1.5) of the respondents' own squares: the acceleration of a variance.
    square = (frame["a"] - frame["a"].mean()) ** 2
    apart = square - square.mean()
    at = found.layout.names.index("a ~~ a")
    own = acceleration_of(found.resampled.moves[:, [at]], draws=False)[0]
    assert own == pytest.approx((apart**3).sum() / (6 * (apart**2).sum() ** 1.5), rel=1e-4)


def test_a_test_by_draws_where_the_model_holds_and_where_it_does_not(data, drawn):
    glance = drawn.glance().iloc[0]
    assert abs(glance["p_bootstrap"] - glance["p"]) < 0.1
    assert glance["tests_used"] == 600
    source, one = csat.read_survey(data), "f =~ a + b + c + d + e + h"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ReplicatesWarning)
        wrong = csat.sem(source, one, se="bootstrap", replicates=100, bollen_stine=True)
    assert wrong.glance()["p_bootstrap"].item() == pytest.approx(1 / (wrong.glance()["tests_used"].item() + 1))


def test_the_model_holds_in_the_turned_sample(drawn):
    own = drawn.samples[0]
    point = drawn.optimum.state.points[0]
    turned = under_the_model((Sample(own.cov[None], None),), (own,), (point,))
    assert_allclose(turned[0].cov[0], point.sigma, rtol=1e-10)


def test_draws_from_the_model_itself(data):
    cov = csat.from_covariance(data[ITEMS].cov(), n=400, mean=data[ITEMS].mean())
    for means in (False, True):
        plain = csat.sem(cov, MODEL, means=means)
        found = csat.sem(cov, MODEL, means=means, se="parametric", replicates=800)
        free = plain.tidy()["se"].to_numpy() > 0
        ratio = found.tidy()["se"][free] / plain.tidy()["se"][free]
        assert (np.abs(ratio - 1) < 0.15).all()
        assert abs(found.glance()["p_bootstrap"].item() - plain.measures.p) < 0.06
        assert found.glance()["variance"].item() == "draws from the model's normal distribution, 800 replicates"


def test_draws_without_estimates_are_left_out_and_counted():
    """40 respondents and a weak construct: some draws have no optimum, more have a negative variance."""
    rng = np.random.default_rng(4)
    f = rng.normal(0, 1, 40)
    frame = pd.DataFrame({name: 0.7 * f + rng.normal(0, 1, 40) for name in "abcd"})
    source = csat.read_survey(frame)
    with warnings.catch_warnings(record=True) as raised:
        warnings.simplefilter("always")
        found = csat.sem(source, "f =~ a + b + c + d", se="bootstrap", replicates=300)
    glance = found.glance().iloc[0]
    failed, improper = glance["replicates_failed"], glance["replicates_improper"]
    assert 0 < failed < 150
    assert improper > 0
    assert glance["replicates_used"] + failed == glance["replicates"] == 300
    said = [str(item.message) for item in raised if item.category is ReplicatesWarning]
    assert said == [note for note in found.notes if note.startswith(f"{failed} of 300")]
    assert "left out of standard errors and intervals" in said[0]
    assert f"{improper} of 300 replicates have a negative variance" in found.notes[-1]
    assert np.isfinite(found.tidy()[["se", "low", "high"]]).all(axis=None)
    # Those left out are taken to deviate as much as the others: the divisor stays R − 1 of R.
    draws = found.resampled.theta[found.resampled.used]
    assert_allclose(np.diag(found.vcov), draws.var(axis=0) * 300 / 299, rtol=1e-6)


def test_a_standardized_value_without_a_positive_variance_is_no_draw():
    draws = np.array([[1.0, np.nan], [2.0, 3.0], [3.0, 5.0], [4.0, np.nan]])
    low, high = interval_of(draws, np.array([2.5, 4.0]), 0.5, "percentile", np.zeros(2))
    assert (low[1], high[1]) == (3.0, 5.0)
    assert low[0] == pytest.approx(quantile(draws[:, :1], np.array([0.25]))[0])


def test_all_draws_on_one_side_have_no_corrected_interval():
    low, high = interval_of(np.linspace(1, 2, 99)[:, None], np.zeros(1), 0.95, "bca", np.zeros(1))
    assert np.isnan(low).all()
    assert np.isnan(high).all()


def test_samples_that_do_not_converge_are_tried_from_the_next_start(data):
    found = csat.sem(csat.read_survey(data), MODEL)
    covs = np.repeat(found.samples[0].cov[None], 3, axis=0)
    function = MaximumLikelihood((Sample(covs, None),))
    good = np.tile(starting_values(found.layout, found.samples), (3, 1))
    bad = np.full_like(good, np.nan)
    assert not minimise_many(found.layout, function, bad).converged.any()
    again = minimise_many(found.layout, function, bad, good)
    assert again.converged.all()
    assert_allclose(again.theta, np.tile(found.optimum.theta, (3, 1)), atol=1e-6)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"se": "boot"}, "se='boot' is not known; choose one of 'estimator', 'bootstrap', 'replicates', 'parametric'"),
        ({"se": "bootstrap", "replicates": 10}, "replicates=10: a whole number, 50 or more, is needed"),
        ({"se": "bootstrap", "replicates": 99.5}, "replicates=99.5: a whole number"),
        ({"se": "bootstrap", "seed": -1}, "seed=-1: a whole number, 0 or more"),
        ({"se": "bootstrap", "bollen_stine": 1}, "bollen_stine is True or False"),
        ({"bollen_stine": True}, "draws from the sample: se='bootstrap', not 'estimator'"),
        ({"se": "replicates"}, "this source has none. Declare csat.Design"),
        ({"se": "bootstrap", "missing": "fiml"}, "missing='fiml' needs more than these"),
        ({"se": "bootstrap", "missing": "pairwise", "estimator": "MLM"}, "missing='pairwise' needs more"),
        ({"se": "bootstrap", "estimator": "WLSMV", "ordered": True}, "estimator='WLSMV' needs more than these"),
        ({"se": "bootstrap", "engine": "semopy"}, "engine='semopy' fits one sample"),
    ],
)
def test_what_cannot_be_resampled_is_refused(data, options, words):
    with pytest.raises(OptionError) as error:
        csat.sem(csat.read_survey(data), MODEL, **options)
    assert words in str(error.value)


def test_sources_without_rows_are_refused(data):
    cov = csat.from_covariance(data[ITEMS].cov(), n=400)
    with pytest.raises(SampleError, match="se='parametric' draws matrices from the normal distribution"):
        csat.sem(cov, MODEL, se="bootstrap")
    with pytest.raises(OptionError, match="this source has none"):
        csat.sem(cov, MODEL, se="replicates")
    summary = csat.read_survey(data).groups(ITEMS, (), "listwise")
    with pytest.raises(SampleError, match="needs the respondents' rows"):
        csat.sem(summary, MODEL, se="bootstrap")


def test_intervals_need_draws(data):
    plain = csat.sem(csat.read_survey(data), MODEL)
    with pytest.raises(OptionError, match="se='bootstrap'"):
        plain.intervals()
    with pytest.raises(OptionError, match="method='basic' is not known"):
        plain.intervals("basic")


def test_a_model_that_hardly_any_draw_can_estimate_is_refused():
    from csat.structural.uncertainty.resampled import Resampled
    from csat.structural.uncertainty.resampling import check_used

    none = np.zeros(100, bool)
    scaling = csat.replicates.Scaling(1.0, np.ones(100))
    found = Resampled(None, np.zeros((100, 1)), np.zeros((1, 1)), False, none, none, scaling, 9.0, "bootstrap", True)
    with pytest.raises(ConvergenceError, match="Only 0 of 100 replicates"):
        check_used(found)
