"""Structural models of answers with gaps: laws, agreement with other methods, designs, wrong input."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

import csat
from csat import Design, Replication, sem
from csat.errors import IllConditionedWarning
from csat.model import Model
from csat.normal import inverses, log_determinants
from csat.structural.engine.discrepancy import MaximumLikelihood, hessian
from csat.structural.engine.structure import evaluate
from csat.structural.gaps.casewise import PatternScores
from csat.structural.gaps.fiml import MissingPredictorWarning
from csat.structural.gaps.incomplete import PatternLikelihood, PatternSample, information
from csat.structural.gaps.pairwise import PairwiseScores, PairwiseWarning

NAMES = ("y1", "y2", "y3", "y4", "y5", "y6")
CFA = "f =~ y1 + y2 + y3\ng =~ y4 + y5 + y6"
MIMIC = f"{CFA}\nf + g ~ x"
SCALAR = {"group": "branch", "equal": ["loadings", "intercepts"]}


def complete(n=400, seed=5):
    rng = np.random.default_rng(seed)
    hall = rng.integers(0, 25, n)
    x = rng.normal(0, 1, n)
    f = 0.5 * x + rng.normal(0, 1, n)
    g = 0.6 * f + rng.normal(0, 0.8, n) + rng.normal(0, 0.4, 25)[hall]
    load = np.outer(f, [1, 0.9, 0.8, 0, 0, 0]) + np.outer(g, [0, 0, 0, 1, 1.1, 0.9])
    items = 5 + load + rng.normal(0, 0.7, (n, 6))
    frame = pd.DataFrame(items, columns=NAMES).assign(x=x)
    return frame.assign(
        branch=np.where(np.arange(n) % 3 == 0, "a", "b"), hall=hall.astype(str), half=np.where(hall < 12, "l", "u"),
        w=rng.gamma(4.0, 0.25, n),
    )  # fmt: skip


def gaps(frame, share=0.15, seed=6):
    """Items go missing at random; in every tenth row x does; rows 7 and 8 have no item; row 9 a pattern of its own."""
    rng = np.random.default_rng(seed)
    out = frame.reset_index(drop=True)
    items = list(NAMES)
    out[items] = out[items].mask(rng.random((len(out), 6)) < share)
    out.loc[::10, "x"] = np.nan
    out.loc[[7, 8], items] = np.nan
    out.loc[9, items] = [5.0, np.nan, np.nan, np.nan, 4.0, 3.5]
    return out


@pytest.fixture(scope="module")
def full():
    return complete()


@pytest.fixture(scope="module")
def data(full):
    return gaps(full)


def survey(frame, **design):
    return csat.read_survey(frame, design=Design(**design))


def fitted(frame, model=CFA, design=None, **options):
    return sem(survey(frame, **(design or {})), model, missing="fiml", **options)


# Laws.


@pytest.mark.parametrize(
    "options",
    [{}, {"group": "branch", "equal": ["loadings", "intercepts"]}, {"std_lv": True}],
    ids=["one", "groups", "std"],
)
@pytest.mark.parametrize("model", [CFA, MIMIC], ids=["cfa", "mimic"])
def test_complete_answers_are_maximum_likelihood_with_means(full, model, options):
    found, plain = fitted(full, model, **options), sem(survey(full), model, means=True, **options)
    assert_allclose(found.optimum.theta, plain.optimum.theta, rtol=1e-8, atol=1e-8)
    for name in ("chisq", "df", "baseline_chisq", "cfi", "tli", "rmsea", "rmsea_high", "srmr", "loglik", "aic", "bic"):
        assert_allclose(getattr(found.measures, name), getattr(plain.measures, name), rtol=1e-8, atol=1e-8)
    assert_allclose(found.measures.gfi, plain.measures.gfi, rtol=1e-5)
    assert_allclose(found.indices.cfi_robust, plain.measures.cfi, rtol=1e-8)
    assert_allclose(found.indices.tli_robust, plain.measures.tli, rtol=1e-8)
    assert_allclose(found.indices.rmsea_high_robust, plain.measures.rmsea_high, rtol=1e-7)
    observed = hessian(plain.layout, MaximumLikelihood(plain.samples), plain.optimum.theta) * len(full) / 2
    assert_allclose(found.vcov, np.linalg.inv(observed), rtol=1e-7, atol=1e-9)
    assert found.left_out == 0
    assert (found.coverage(found.groups[-1] or None) == 1).all(axis=None)


@pytest.mark.parametrize(
    "design", [{}, {"weight": "w"}, {"psu": "hall"}, {"psu": "hall", "stratum": "half", "weight": "w"}],
    ids=["plain", "weights", "units", "strata"],
)  # fmt: skip
@pytest.mark.parametrize("model", [CFA, MIMIC], ids=["cfa", "mimic"])
def test_robust_inference_of_complete_answers_is_that_of_their_moments(full, model, design):
    found = fitted(full, model, design, estimator="MLR")
    plain = sem(survey(full, **design), model, means=True, estimator="MLR")
    assert_allclose(found.vcov, plain.vcov, rtol=1e-6, atol=1e-9)
    for name in ("chisq_scaled", "scaling", "baseline_scaling", "cfi_scaled", "rmsea_scaled"):
        assert_allclose(getattr(found.robust.scaled, name), getattr(plain.robust.scaled, name), rtol=1e-6)
    # Estimates of the same thing, from unrestricted instead of implied moments.
    for name in ("cfi_robust", "tli_robust", "rmsea_robust"):
        assert_allclose(getattr(found.robust.scaled, name), getattr(plain.robust.scaled, name), atol=2e-3)
    assert found.provenance.variance == plain.provenance.variance
    assert (found.provenance.sample, plain.provenance.sample) == ("fiml", "listwise")


def test_the_order_of_rows_and_columns_does_not_matter(data):
    found = fitted(data)
    turned = fitted(data.iloc[::-1][[*NAMES[::-1], "branch"]])
    assert_allclose(turned.optimum.theta, found.optimum.theta, rtol=1e-7, atol=1e-8)
    assert_allclose(turned.vcov, found.vcov, rtol=1e-6, atol=1e-10)
    assert_allclose(turned.measures.chisq, found.measures.chisq, rtol=1e-8)


def test_weights_of_two_are_rows_twice(data):
    weighted = fitted(data.assign(w=np.where(data["branch"] == "a", 2.0, 1.0)), CFA, {"weight": "w"}, estimator="MLR")
    doubled = fitted(pd.concat([data, data[data["branch"] == "a"]]), estimator="MLR")
    assert_allclose(weighted.optimum.theta, doubled.optimum.theta, rtol=1e-7, atol=1e-8)
    assert_allclose(weighted.samples[0].cov, doubled.samples[0].cov, rtol=1e-9)
    assert_allclose(weighted.measures.cfi, doubled.measures.cfi, atol=0.02)
    assert weighted.measures.n == len(data) - 2


def test_units_of_measurement_do_not_matter(data):
    found = fitted(data)
    other = fitted(data.assign(y1=100 * data["y1"] - 7, y4=data["y4"] / 50), std_lv=False)
    assert_allclose(other.measures.chisq, found.measures.chisq, rtol=1e-7)
    assert_allclose(other.measures.srmr, found.measures.srmr, rtol=1e-6)
    same = found.tidy()["op"] != "~1"  # intercepts move with the origin
    assert_allclose(other.tidy()["std_all"][same], found.tidy()["std_all"][same], rtol=1e-6)


def test_the_likelihood_is_that_of_the_rows(data):
    """Row by row, by another library; a pattern that occurs once is among them."""
    from scipy.stats import multivariate_normal

    found = fitted(data)
    point, sample = found.optimum.state.points[0], found.samples[0]
    rows = data[list(found.observed)].to_numpy()
    for mu, sigma, loglik in (
        (point.mu, point.sigma, found.measures.loglik),
        (sample.mean, sample.cov, found.measures.unrestricted_loglik),
    ):
        total = 0.0
        for row in rows[~np.isnan(rows).all(axis=1)]:
            seen = np.flatnonzero(~np.isnan(row))
            total += multivariate_normal.logpdf(row[seen], mu[seen], sigma[np.ix_(seen, seen)])
        assert_allclose(loglik, total, rtol=1e-11)
    assert (np.unique(~np.isnan(rows), axis=0, return_counts=True)[1] == 1).any()


def test_gaps_that_depend_on_answers_do_no_harm(rng):
    """Missing at random: y3 is asked only of the satisfied. Listwise means are off, these are not."""
    frame = complete(4000, 8)
    frame["y3"] = frame["y3"].where(frame["y1"] > 5)
    found = fitted(frame).tidy().set_index(["lhs", "op", "rhs"]).sort_index()
    mean, load = found.loc[("y3", "~1", "")], found.loc[("f", "=~", "y3")]
    assert abs(mean["estimate"] - 5) < 4 * mean["se"]
    assert abs(load["estimate"] - 0.8) < 4 * load["se"]
    assert frame["y3"].mean() - 5 > 10 * mean["se"]
    del rng


# Derivatives.


@pytest.fixture(scope="module")
def moved(data):
    """A fit with groups, and a point away from its optimum."""
    with pytest.warns(MissingPredictorWarning):
        found = fitted(data, MIMIC, group="branch", equal="loadings")
    shift = 0.05 * np.cos(np.arange(len(found.vcov)))
    return found, found.optimum.theta + shift


def test_gradient_is_that_of_the_value(moved):
    found, theta = moved
    step = 1e-5 * np.eye(len(theta))
    there = [found.discrepancy.value(evaluate(found.layout, theta + sign * step)) for sign in (1, -1)]
    slope = found.discrepancy.gradient(evaluate(found.layout, theta))
    assert_allclose(slope, (there[0] - there[1]) / 2e-5, atol=1e-8)


def test_second_derivatives_are_those_of_the_gradient(moved):
    found, theta = moved
    nudged = evaluate(found.layout, theta + 1e-20j * np.eye(len(theta)))
    exact = found.discrepancy.hessian(evaluate(found.layout, theta))
    assert_allclose(exact, found.discrepancy.gradient(nudged).imag / 1e-20, rtol=1e-10, atol=1e-10)


def test_expected_curvature_of_complete_answers(full):
    found = fitted(full)
    curvature = MaximumLikelihood(found.samples).curvature(found.optimum.state)
    assert_allclose(found.discrepancy.curvature(found.optimum.state), curvature, rtol=1e-9, atol=1e-12)


def test_observed_information_is_expected_at_the_expected_moments(rng):
    """Where the moments of every pattern are those implied, and only there, second derivatives are as expected."""
    a = rng.normal(0, 1, (4, 4))
    sigma, mu = a @ a.T + np.eye(4), rng.normal(0, 1, 4)
    answered = np.array([[True] * 4, [True, False, True, False], [False, True, True, True]])
    both = answered[:, :, None] & answered[:, None, :]
    sample = PatternSample(answered, np.array([0.5, 0.3, 0.2]), np.where(answered, mu, 0.0), np.where(both, sigma, 0.0))
    observed, expected = (information(sample, mu, sigma, observed=kind) for kind in (True, False))
    assert_allclose(observed, expected, atol=1e-12)
    apart = replace(sample, mean=sample.mean + 0.1 * answered)
    assert np.abs(information(apart, mu, sigma, observed=True) - expected).max() > 1e-3


def test_replicates_together_are_replicates_one_by_one(moved):
    found, theta = moved
    likelihood = found.discrepancy
    many = PatternLikelihood(
        tuple(
            PatternSample(
                s.answered,
                np.stack([s.share, 1.1 * s.share]),
                np.stack([s.mean, s.mean + 0.1 * s.answered]),
                np.stack([s.cov, 0.9 * s.cov]),
            )
            for s in likelihood.samples
        )
    )
    both = evaluate(found.layout, np.stack([theta, found.optimum.theta]))
    for at in (0, 1):
        one = many.take(np.array([at]))
        alone = evaluate(found.layout, both.theta[at : at + 1])
        assert_allclose(many.value(both)[at], one.value(alone)[0], rtol=1e-12)
        assert_allclose(many.gradient(both)[at], one.gradient(alone)[0], rtol=1e-9, atol=1e-12)
        assert_allclose(many.curvature(both)[at], one.curvature(alone)[0], rtol=1e-9, atol=1e-12)
    assert_allclose(many.value(both)[0], likelihood.value(evaluate(found.layout, theta)), rtol=1e-12)


def test_scores_of_rows_sum_to_the_gradient(data, moved):
    found, theta = moved
    state = evaluate(found.layout, theta)
    total = np.zeros(len(theta))
    for g, (label, point) in enumerate(zip(found.groups, state.points, strict=True)):
        rows = data.loc[data["branch"] == label, list(found.observed)].to_numpy()
        z = np.hstack([np.ones((len(rows), 1)), ~np.isnan(rows), np.nan_to_num(rows)])
        by_sigma, by_mu = point.jacobian()
        i, j = np.tril_indices(len(point.mu))
        onto = state.collect(g, np.vstack([by_mu, by_sigma[i, j]]))
        needed = np.array(found.layout.groups[g].predictors)
        scores = PatternScores(point.mu, point.sigma, onto, needed)
        assert scores.size == len(theta)
        total += scores(z, np.ones(len(z))).sum(axis=0)
    assert_allclose(total, -sum(found.sizes) / 2 * found.discrepancy.gradient(state), rtol=1e-8, atol=1e-8)


# Designs.


@pytest.mark.parametrize(
    "options", [{}, {"group": "branch", "equal": ["loadings", "intercepts"]}], ids=["one", "groups"]
)
def test_standard_errors_against_refits_without_one_unit(data, options):
    found = fitted(data, CFA, {"psu": "hall", "weight": "w"}, estimator="MLR", **options)
    assert found.provenance.variance == "robust sandwich, observed information; linearisation"
    refits = []
    for hall in sorted(set(data["hall"])):
        with pytest.warns(csat.errors.DesignIgnoredWarning):
            refits.append(fitted(data[data["hall"] != hall], CFA, {"weight": "w"}, **options).optimum.theta)
    centred = np.array(refits) - np.mean(refits, axis=0)
    jackknife = np.sqrt((len(refits) - 1) / len(refits) * np.square(centred).sum(axis=0))
    ratio = jackknife / np.sqrt(np.diag(found.vcov))
    assert np.abs(ratio - 1).max() < 0.25  # 25 units: the jackknife is more than first-order
    assert abs(np.median(ratio) - 1) < 0.06


def test_replicates_of_a_jackknife_give_the_linearised_covariance(data):
    design = {"psu": "hall", "stratum": "half"}
    plain = fitted(data, CFA, design, estimator="MLR")
    jackknife = fitted(data, CFA, design | {"replication": Replication("JKn")}, estimator="MLR")
    assert_allclose(jackknife.vcov, plain.vcov, rtol=1e-8, atol=1e-12)
    assert_allclose(jackknife.robust.scaled.scaling, plain.robust.scaled.scaling, rtol=1e-8)


def test_every_respondent_a_unit(data):
    singly = fitted(data, estimator="MLR")
    units = fitted(data.assign(id=[f"{i}" for i in range(len(data))]), CFA, {"psu": "id"}, estimator="MLR")
    n = len(data)  # respondents without an answer were drawn too
    assert_allclose(units.vcov, singly.vcov * n / (n - 1), rtol=1e-7, atol=1e-12)


def test_a_domain_is_its_rows(data):
    inside = sem(survey(data).where(branch="a"), CFA, missing="fiml")
    alone = fitted(data[data["branch"] == "a"])
    assert_allclose(inside.optimum.theta, alone.optimum.theta, rtol=1e-8, atol=1e-9)
    assert inside.left_out == alone.left_out


def test_weights_without_a_robust_estimator_are_told(data):
    with pytest.warns(csat.errors.DesignIgnoredWarning, match="estimator='MLR' takes the design into account"):
        fitted(data, CFA, {"weight": "w"})


# Who counts.


def test_bases_and_coverage(data):
    with pytest.warns(MissingPredictorWarning, match=r"40 respondents .* fixed_x=False keeps them"):
        found = fitted(data, MIMIC)
    kept = data[data["x"].notna()]
    answered = kept[list(found.observed)].notna().astype(int)
    assert found.left_out == 40
    assert found.measures.n == len(kept)
    assert_allclose(found.coverage(), answered.T @ answered / len(kept))
    assert found.glance()["patterns"].item() == len(answered.drop_duplicates())
    assert found.glance()["sample"].item() == "fiml"
    assert len([note for note in found.notes if "predictor is missing" in note]) == 1
    random = fitted(data, MIMIC, fixed_x=False)
    assert (random.measures.n, random.left_out) == (len(data), 0)
    cfa = fitted(data, group="branch")
    assert cfa.left_out == 2
    mine = data.loc[data["branch"] == "b", list(NAMES)].notna()
    assert_allclose(np.diag(cfa.coverage("b")), mine.sum() / mine.any(axis=1).sum())


def test_complete_respondents_cover_everything(full):
    found = sem(survey(full), CFA)
    assert (found.coverage() == 1).all(axis=None)
    assert found.glance()["patterns"].item() == 1


def test_rows_without_a_group_are_left_out(data):
    empty = data.assign(branch=data["branch"].where(data.index >= 5))
    assert fitted(empty, group="branch").left_out == 7


# Pairs.


@pytest.mark.parametrize(
    ("estimator", "same"), [("ML", "MLM"), ("MLR", "MLR"), ("MLMV", "MLMV")]
)  # fmt: skip
def test_pairs_of_complete_answers_are_complete_answers(full, estimator, same):
    for design, options in (({"psu": "hall"}, {}), ({}, {"group": "branch", "equal": "loadings"})):
        source = survey(full, weight="w", **design)
        found = sem(source, MIMIC, missing="pairwise", estimator=estimator, **options)
        plain = sem(source, MIMIC, estimator=same, **options)
        assert found.estimator == same
        assert_allclose(found.vcov, plain.vcov, rtol=1e-8, atol=1e-12)
        assert_allclose(found.robust.scaled.chisq_scaled, plain.robust.scaled.chisq_scaled, rtol=1e-9)
        assert not [note for note in found.notes if "answered both" in note]


def test_scores_of_pairs_are_what_a_row_adds(data):
    """The change of every moment when one row gets a little more weight."""
    rows = data[list(NAMES)].to_numpy()
    z = np.hstack([np.ones((len(rows), 1)), ~np.isnan(rows), np.nan_to_num(rows)])
    kept = z[:, 1:7].any(axis=1)

    def moments(weight):
        gram = (z * weight[:, None]).T @ z
        both, cross = gram[1:7, 1:7], gram[7:, 1:7]
        centre = cross / both
        return both, centre, gram[7:, 7:] / both - centre * centre.T

    def flat(weight):
        _, centre, cov = moments(weight)
        return np.r_[np.diag(centre), cov[np.tril_indices(6)]]

    n = float(kept.sum())
    scores = PairwiseScores(n, *moments(kept.astype(float)))
    found = scores(z, np.ones(len(z)))
    assert found.shape == (len(rows), scores.size)
    assert_allclose(found[kept].sum(axis=0)[1:], 0.0, atol=1e-8)
    for at in (0, 9, 40):
        step = np.where(np.arange(len(rows)) == at, 1e-6, 0.0)
        slope = (flat(kept + step) - flat(kept - step)) / 2e-6
        assert_allclose(found[at, 1:] / n, slope, rtol=1e-4, atol=1e-8)


def test_pairs_tell_what_they_are(data):
    with pytest.warns(PairwiseWarning, match=r"\d+ respondents at least of 398") as raised:
        found = sem(survey(data), CFA, missing="pairwise")
    assert len(raised) == 1
    assert "missing='fiml' asks for less" in found.notes[0]
    assert np.isnan([found.measures.p, found.measures.loglik, found.measures.aic]).all()
    assert np.isfinite(found.robust.scaled.p_scaled)
    assert found.left_out == 2
    assert found.glance()["sample"].item() == "pairwise"
    answered = data[list(NAMES)].notna().astype(int)
    assert_allclose(found.coverage(), answered.T @ answered / 398)
    pairs = answered.T @ answered
    assert_allclose(found.samples[0].cov, data[list(NAMES)].cov() * (pairs - 1) / pairs, rtol=1e-9)


def test_pairs_follow_the_design(data):
    designs = (
        {}, {"psu": "id"}, {"psu": "hall", "stratum": "half"},
        {"psu": "hall", "stratum": "half", "replication": Replication("JKn")},
    )  # fmt: skip
    named = data.assign(id=[f"{i}" for i in range(len(data))])
    fits = []
    for design in designs:
        with pytest.warns(PairwiseWarning):
            fits.append(sem(survey(named, **design), CFA, missing="pairwise", means=True))
    singly, units, halls, jackknife = fits
    n = len(data)
    assert_allclose(units.vcov, singly.vcov * n / (n - 1), rtol=1e-8, atol=1e-12)
    assert_allclose(jackknife.vcov, halls.vcov, rtol=1e-8, atol=1e-12)
    assert halls.provenance.variance == "robust sandwich, expected information; linearisation"
    assert np.abs(halls.vcov / singly.vcov - 1).max() > 0.1


# Wrong input.


def refused(source, match, model=CFA, **options):
    with pytest.raises(csat.CsatError, match=match):
        sem(source, model, **options)


def test_options_that_gaps_do_not_have(data):
    source = survey(data)
    refused(source, "missing='mean': unknown|missing='mean'", missing="mean")
    refused(
        source, "missing='fiml' is a likelihood: estimator='ML' or 'MLR', not 'MLM'", missing="fiml", estimator="MLM"
    )
    refused(source, "estimator='ULS' takes complete answers", missing="fiml", estimator="ULS")
    refused(source, "estimator='GLS' takes complete answers", missing="pairwise", estimator="GLS")
    refused(source, "estimator='DWLS' takes complete answers", missing="pairwise", estimator="DWLS", ordered=True)
    refused(source, "likelihood='wishart' is for complete answers", missing="fiml", likelihood="wishart")
    refused(source, "engine='semopy' takes complete answers", missing="fiml", engine="semopy")
    refused(source, "means are always estimated", missing="fiml", means=False)
    refused(source, "unknown reference|reference=", missing="fiml", group="branch", reference="c")


@pytest.mark.parametrize("missing", ["fiml", "pairwise"])
def test_summaries_do_not_know_their_gaps(full, missing):
    published = csat.from_covariance(full[list(NAMES)].cov(), n=400)
    for source in (published, survey(full).groups(list(NAMES), (), "listwise")):
        refused(source, f'missing="{missing}" needs the respondents\' rows', missing=missing)


@pytest.mark.parametrize("missing", ["fiml", "pairwise"])
def test_variables_that_nobody_answered(data, missing):
    refused(survey(data.assign(y2=np.nan)), "Nobody answered 'y2'", missing=missing)
    apart = data.assign(y1=data["y1"].where(data.index % 2 == 0), y5=data["y5"].where(data.index % 2 == 1))
    refused(survey(apart), "Nobody answered both 'y1' and 'y5'", missing=missing)
    flat = data.assign(y3=data["y3"].where(data["y3"].isna(), 4.0))
    refused(survey(flat), "'y3'", missing=missing)
    refused(survey(data), "'y9'", CFA.replace("y6", "y9"), missing=missing)
    one = data.assign(y2=data["y2"].where(data["branch"] == "a"))
    refused(survey(one), "(?i)group 'b'", missing=missing, group="branch")


def test_a_group_without_predictors(data):
    lost = data.assign(x=data["x"].where(data["branch"] == "a"))
    refused(
        survey(lost),
        r"Group 'b': nobody .* in all 26\d rows a predictor is missing",
        MIMIC,
        missing="fiml",
        group="branch",
    )


def test_a_variable_that_repeats_others(data):
    refused(survey(data.assign(y3=data["y1"] + data["y2"])), "'y3'|'y1'|'y2'", missing="fiml")


def test_covariances_that_contradict_each_other():
    """Three pairs over three parts of the rows: r = .9, .9 and −.9."""
    rng = np.random.default_rng(3)
    frame = pd.DataFrame(np.nan, np.arange(300), ["y1", "y2", "y3"])
    for part, (one, other, sign) in enumerate((("y1", "y2", 1), ("y2", "y3", 1), ("y1", "y3", -1))):
        a = rng.normal(0, 1, 100)
        rows = slice(100 * part, 100 * part + 99)
        frame.loc[rows, one], frame.loc[rows, other] = a, sign * a + rng.normal(0, 0.3, 100)
    refused(survey(frame), "contradict each other.*missing='fiml'", "f =~ y1 + y2 + y3", missing="pairwise")


def test_no_standard_errors_where_the_likelihood_does_not_fall(data, monkeypatch):
    monkeypatch.setattr("csat.structural.gaps.fiml.hessian", lambda layout, discrepancy, theta: -np.eye(len(theta)))
    with pytest.warns(IllConditionedWarning, match="observed information is not positive definite"):
        found = fitted(data)
    assert np.isnan(found.vcov).all()
    assert np.isfinite(found.tidy()["estimate"]).all()


def test_the_model_may_be_an_object(data):
    assert_allclose(fitted(data, Model(CFA)).optimum.theta, fitted(data).optimum.theta)


def test_differences_that_need_moments(data):
    models = [fitted(data, estimator="MLR", group="branch", equal=equal) for equal in ((), "loadings")]
    with pytest.raises(csat.CsatError, match="'satorra-bentler-2010' is not for estimator='MLR' with missing='fiml'"):
        csat.compare_models(*models, method="satorra-bentler-2010")
    found = csat.compare_models(*models, method="satorra-2000").tidy()
    assert found["df_diff"][1] == 4
    assert_allclose(found["chisq_diff"][1], csat.compare_models(*models).tidy()["chisq_diff"][1], rtol=0.2)


# Inverses of patterns.


@pytest.mark.parametrize("ridge", [1.0, 1e-6], ids=["sound", "nearly singular"])
def test_inverses_of_the_answered_block(rng, ridge):
    answered = rng.random((40, 7)) < 0.6
    answered[0], answered[1] = True, False
    factor = rng.normal(0, 1, (3, 7, 2))
    many = factor @ factor.swapaxes(1, 2) + ridge * np.eye(7)
    found, logs = inverses(answered, many), log_determinants(answered, many)
    assert found.shape == (3, 40, 7, 7)
    for matrix, inverse, log in zip(many, found, logs, strict=True):
        for row in range(40):
            seen = np.flatnonzero(answered[row])
            block = matrix[np.ix_(seen, seen)]
            assert_allclose(inverse[row][np.ix_(seen, seen)] @ block, np.eye(len(seen)), atol=1e-8)
            assert not inverse[row][~answered[row]].any()
            assert_allclose(log[row], np.linalg.slogdet(block)[1], rtol=1e-9, atol=1e-12)
    assert_allclose(inverses(answered, many[0]), found[0], rtol=1e-12)


def test_too_few_respondents_for_unrestricted_moments(data):
    refused(survey(data.iloc[:12]), "too few respondents answered the same variables", missing="fiml")
    refused(survey(data[data["hall"].isin(["6", "7"])]), "(?i)group '6'.*too few", missing="fiml", group="hall")
