"""Unobserved segments: EM one respondent at a time, segments that were put into the data, laws, words of errors."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy import stats

import csat
from csat.composites.blocks import blocks_of
from csat.composites.mixture import Rows, expected, fitted, maximised
from csat.design import Design
from csat.errors import ConvergenceError, OptionError, SampleError

MODEL = "image =~ a1 + a2\nquality =~ b1 + b2\nloyalty =~ c1 + c2\nquality ~ image\nloyalty ~ image + quality"
EXPLAINED = {1: [0], 2: [0, 1]}


def answers(n=400, seed=2, share=0.65):
    """Answers of two kinds of respondents: quality leads to loyalty for the first, image for the second."""
    rng = np.random.default_rng(seed)
    kind = (rng.random(n) > share).astype(int)
    image = rng.normal(size=n)
    quality = np.where(kind == 0, 0.7, 0.1) * image + 0.4 * rng.normal(size=n)
    loyalty = np.where(kind == 0, 0.8 * quality, -0.7 * image) + 0.3 * rng.normal(size=n)
    columns = {}
    for name, score in zip("abc", (image, quality, loyalty), strict=True):
        for i in (1, 2):
            columns[f"{name}{i}"] = 5 + score + 0.15 * rng.normal(size=n)
    return pd.DataFrame(columns).assign(kind=kind, w=rng.uniform(0.5, 2, n), g=np.array(["x", "y"])[kind])


@pytest.fixture(scope="module")
def rows():
    return answers()


@pytest.fixture(scope="module")
def survey(rows):
    return csat.read_survey(rows, design=Design())


@pytest.fixture(scope="module")
def result(survey):
    return csat.pls(survey, MODEL, replicates=50)


def by_respondents(scores, weight, member, steps):
    """EM as papers have it: memberships (n, K), regressions by lstsq, densities respondent by respondent."""
    weight = weight * len(weight) / weight.sum()
    for _ in range(steps):
        shares = [np.sum(weight * member[:, k]) / len(weight) for k in range(member.shape[1])]
        models = []
        for k in range(member.shape[1]):
            root = np.sqrt(weight * member[:, k])
            model = {}
            for to, by in EXPLAINED.items():
                slope = np.linalg.lstsq(scores[:, by] * root[:, None], scores[:, to] * root, rcond=None)[0]
                left = scores[:, to] - scores[:, by] @ slope
                model[to] = slope, np.sum(root**2 * left**2) / np.sum(root**2)
            models.append(model)
        loglik = 0.0
        for i, row in enumerate(scores):
            density = np.array(shares)
            for k, model in enumerate(models):
                for to, (slope, variance) in model.items():
                    density[k] *= stats.norm.pdf(row[to], row[EXPLAINED[to]] @ slope, np.sqrt(variance))
            member[i] = density / density.sum()
            loglik += weight[i] * np.log(density.sum())
    return shares, models, member, loglik


@pytest.mark.parametrize("weighted", [False, True])
def test_em_is_that_of_respondents(rows, weighted):
    some = rows.head(70)
    survey = csat.read_survey(some, design=Design(weight="w") if weighted else Design())
    result = csat.pls(survey, MODEL, replicates=50)
    found = result.scores(survey)
    scores, weight = found.scores.to_numpy(), found.weight.to_numpy()
    assert (weight.std() > 0) == weighted
    blocks = result.blocks
    kernel = Rows.of(scores, weight, blocks)
    start = np.random.default_rng(3).integers(2, size=70)
    member = np.stack([start == 0, start == 1], axis=1).astype(float)
    shares, models, expect, loglik = by_respondents(scores, weight, member.copy(), 6)
    memberships = member.T[None]
    for _ in range(6):
        state = maximised(kernel, memberships)
        memberships, ours = expected(kernel, state)
    assert_allclose(state.shares[0], shares, rtol=1e-10)
    assert_allclose(memberships[0].T, expect, atol=1e-9)
    assert_allclose(ours, loglik, rtol=1e-11)
    for k, model in enumerate(models):
        for to, (slope, variance) in model.items():
            assert_allclose(state.paths[0, k, to, EXPLAINED[to]], slope, atol=1e-9)
            assert_allclose(state.variances[0, k, to], variance, rtol=1e-9)


def test_segments_in_the_data_are_found(rows, survey, result):
    found = csat.pls_segments(result, survey, 2)
    assert (found.mixture.shares[0] > found.mixture.shares[1]).all()
    truth = rows["kind"].to_numpy() + 1
    assert (found.assigned.to_numpy() == truth).mean() > 0.8  # those near the origin fit both
    frame = found.tidy().set_index(["segment", "lhs", "rhs"])["estimate"]
    assert frame[1, "loyalty", "quality"] > 0.6
    assert frame[2, "loyalty", "image"] < -0.6
    assert abs(frame[2, "quality", "image"]) < 0.4
    best = found.criteria.set_index("segments")
    assert (best.loc[2, ["aic3", "bic", "caic"]] < best.loc[1, ["aic3", "bic", "caic"]]).all()
    assert best.loc[2, "entropy"] > 0.5
    assert best.loc[2, "agreeing"] >= 10
    more = csat.pls_segments(result, survey, 3).criteria.set_index("segments")
    assert more.loc[2, "caic"] < more.loc[3, "caic"]


def test_criteria_by_hand(survey, result):
    found = csat.pls_segments(result, survey, 2)
    last, n, parameters = found.criteria.iloc[-1], 400, 1 + 2 * (3 + 2)  # 3 paths and 2 variances in each segment
    assert last["parameters"] == parameters
    fit = -2 * last["loglik"]
    assert last["aic"] == pytest.approx(fit + 2 * parameters)
    assert last["aic3"] == pytest.approx(fit + 3 * parameters)
    assert last["aic4"] == pytest.approx(fit + 4 * parameters)
    assert last["bic"] == pytest.approx(fit + np.log(n) * parameters)
    assert last["caic"] == pytest.approx(fit + (1 + np.log(n)) * parameters)
    p = found.probabilities.to_numpy()
    assert_allclose(p.sum(axis=1), 1)
    doubt = -np.sum(np.where(p > 0, p * np.log(np.where(p > 0, p, 1)), 0))
    assert last["entropy"] == pytest.approx(1 - doubt / (n * np.log(2)), abs=1e-9)
    facts = found.glance().iloc[0]
    assert (facts["n"], facts["left_out"], facts["segments"], facts["starts"]) == (400, 0, 2, 20)
    assert "caic" in repr(found)


def test_one_segment_is_everybody(survey, result):
    found = csat.pls_segments(result, survey, 1)
    frame = found.tidy()
    assert_allclose(frame["estimate"], frame["whole"], atol=1e-9)
    assert_allclose(frame["whole"], result.select("path").estimate, atol=1e-12)
    r2 = dict(zip(result.select("r2").keys["lhs"], result.select("r2").estimate, strict=True))
    assert_allclose(frame["r2"], [r2[name] for name in frame["lhs"]], atol=1e-9)
    assert np.isnan(found.criteria["entropy"].item())
    corrected = csat.pls(survey, MODEL, consistent=True, replicates=50)
    frame = csat.pls_segments(corrected, survey, 1).tidy()
    assert_allclose(frame["estimate"], frame["whole"], atol=1e-9)  # of composites, in segments and in all


def test_every_step_gains(survey, result):
    found = result.scores(survey)
    rows = Rows.of(found.scores.to_numpy(), found.weight.to_numpy(), result.blocks)
    start = np.random.default_rng(1).integers(3, size=(4, 1, 400)) == np.arange(3)[:, None]
    memberships, before = start.astype(float), np.full(4, -np.inf)
    for _ in range(40):
        memberships, loglik = expected(rows, maximised(rows, memberships))
        assert (loglik > before - 1e-9).all()
        before = loglik
    # The end of a run is a fixed point of both steps.
    best = fitted(rows, 2, 5, 1)[0]
    again = maximised(rows, expected(rows, best)[0])
    assert_allclose(again.paths, best.paths, atol=1e-3)
    assert_allclose(again.shares, best.shares, atol=1e-3)


def test_weight_2_is_a_row_twice(rows):
    doubled = rows.assign(w=np.where(np.arange(400) < 150, 2.0, 1.0))
    twice = pd.concat([rows, rows.head(150)], ignore_index=True)
    surveys = csat.read_survey(doubled, design=Design(weight="w")), csat.read_survey(twice, design=Design())
    one, other = (csat.pls_segments(csat.pls(each, MODEL, replicates=50), each, 2) for each in surveys)
    assert_allclose(one.mixture.paths, other.mixture.paths, atol=1e-4)
    assert_allclose(one.mixture.shares, other.mixture.shares, atol=1e-4)
    assert_allclose(one.mixture.loglik / 400, other.mixture.loglik / 550, atol=1e-6)
    assert one.criteria["parameters"].equals(other.criteria["parameters"])


def test_the_same_seed_gives_the_same_segments(survey, result):
    one, other = (csat.pls_segments(result, survey, 3, starts=6, seed=9) for _ in range(2))
    assert repr(one) == repr(other)
    assert one.probabilities.equals(other.probabilities)


def test_starts_in_parts(survey, result, monkeypatch):
    whole = csat.pls_segments(result, survey, 2, starts=7)
    monkeypatch.setattr(csat.composites.mixture, "MOST_CELLS", 400 * 2 * 3)
    parts = csat.pls_segments(result, survey, 2, starts=7)
    assert_allclose(whole.mixture.loglik, parts.mixture.loglik, rtol=1e-9)
    assert_allclose(whole.mixture.paths, parts.mixture.paths, atol=1e-4)


def test_segments_become_groups(rows, survey, result):
    found = csat.pls_segments(result, survey, 2)
    grouped = csat.read_survey(rows.assign(segment=found.assigned.to_numpy().astype(str)), design=Design())
    own = csat.pls(grouped, MODEL, by="segment", replicates=50)
    first = own.tidy().query("kind == 'path' and segment == '1' and lhs == 'loyalty' and rhs == 'quality'")
    assert first["estimate"].item() > 0.6


def test_gaps_are_counted(rows):
    gaps = rows.assign(a1=np.where(np.arange(400) < 5, np.nan, rows["a1"]))
    survey = csat.read_survey(gaps, design=Design())
    found = csat.pls_segments(csat.pls(survey, MODEL, replicates=50), survey, 2)
    assert found.left_out == 5
    assert len(found.probabilities) == 395
    assert found.probabilities.index[0] == 5


def test_runs_that_come_to_nothing_are_unsound():
    # Half of the respondents lie exactly on a line: a segment of them has no residual variance.
    rng = np.random.default_rng(4)
    x = rng.normal(size=200)
    y = np.where(np.arange(200) < 100, x, rng.normal(size=200))
    rows = Rows.of(np.column_stack([x, y]), np.ones(200), blocks_of(csat.Model("y ~ x")))
    exact = (np.arange(200) < 100) == np.array([[True], [False]])
    assert not maximised(rows, exact[None].astype(float)).sound.any()
    assert not fitted(rows, 2, 10, 1).sound.all()


def test_no_segments_in_words(monkeypatch, survey, result):
    monkeypatch.setattr(csat.composites.mixture, "LEAST_VARIANCE", 10.0)
    with pytest.raises(ConvergenceError, match="None of 1 starts came to 1 segments: some became too small"):
        csat.pls_segments(result, survey, 2)
    monkeypatch.undo()
    monkeypatch.setattr(csat.composites.mixture, "MOST_STEPS", 2)  # one segment needs two
    with pytest.raises(ConvergenceError, match="None of 20 starts came to 2 segments: some became too small, did not"):
        csat.pls_segments(result, survey, 2)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"k": 0}, "k is a whole number, 1 to 12; found int 0"),
        ({"k": 2.5}, "k is a whole number, 1 to 12; found float 2.5"),
        ({"starts": 0}, "starts is a whole number, 1 to 1000; found int 0"),
        ({"seed": -1}, "seed is a whole number, 0 or more; found int -1"),
    ],
)
def test_words_of_wrong_options(survey, result, options, words):
    with pytest.raises(OptionError, match=words):
        csat.pls_segments(result, survey, **options)


def test_words_of_wrong_results_and_sources(rows, survey, result):
    with pytest.raises(OptionError, match=r"A result of csat.pls is needed; found"):
        csat.pls_segments(rows, survey)
    with pytest.raises(OptionError, match="Segments are looked for among everybody: estimate the model without by"):
        csat.pls_segments(csat.pls(survey, MODEL, by="g", replicates=50), survey)
    summary = survey.groups(["a1", "a2", "b1", "b2", "c1", "c2"], (), "listwise")
    with pytest.raises(SampleError, match="Scoring respondents needs the respondents' rows"):
        csat.pls_segments(result, summary)
    few = csat.read_survey(rows.head(20), design=Design())
    with pytest.raises(SampleError, match="4 segments with 5 parameters each"):
        csat.pls_segments(csat.pls(few, MODEL, replicates=50), few, 4)


def test_parts_of_constructs_are_no_constructs_of_the_mixture(survey):
    model = "a =~ a1 + a2\nb =~ b1 + b2\nc =~ c1 + c2\ns <~ a + b\nc ~ s"
    for how in ("two-stage", "embedded"):
        result = csat.pls(survey, model, second_order=how, replicates=50)
        found = csat.pls_segments(result, survey, 2, starts=3)
        path = result.select("path")
        at = [list(zip(path.keys["lhs"], path.keys["rhs"], strict=True)).index(name) for name in found.names]
        assert_allclose(found.whole, path.estimate[at], atol=1e-8)


def test_models_without_a_mixture(survey):
    measured = "a =~ a1 + a2\nb =~ b1 + b2\nc =~ c1 + c2\n"
    product = csat.pls(survey, measured + "c ~ a + b + a:b", replicates=50)
    with pytest.raises(OptionError, match="Segments are not looked for in models with products of constructs"):
        csat.pls_segments(product, survey)
    repeated = csat.pls(survey, measured + "s <~ a + b\nc ~ s", second_order="repeated", replicates=50)
    with pytest.raises(OptionError, match=r"second_order='repeated': .* Estimate with second_order='two-stage'"):
        csat.pls_segments(repeated, survey)


def test_other_respondents_than_those_of_the_estimates_are_refused(result):
    other = csat.read_survey(answers(seed=9), design=Design())
    with pytest.raises(OptionError, match="among the respondents that the model was estimated from; this survey"):
        csat.pls_segments(result, other)
