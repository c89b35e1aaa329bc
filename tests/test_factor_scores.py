"""`csat.factor_scores`: laws of scores, who is scored, and errors in words; figures of lavaan are in oracle/."""

import warnings

import numpy as np
import pandas as pd
import pytest

import csat
from csat.errors import OptionError, SampleError, UnknownColumnError
from csat.structural import sem
from csat.structural.factor_scores import factor_scores

MODEL = "quality =~ q1 + q2 + q3\nloyalty =~ l1 + l2 + l3\nloyalty ~ quality"
ITEMS = ["q1", "q2", "q3", "l1", "l2", "l3"]


def sample(rng, n=4000):
    """Answers and the constructs behind them."""
    quality = rng.standard_normal(n)
    loyalty = 0.6 * quality + 0.8 * rng.standard_normal(n)
    loads = np.array([[1.0, 0.8, 0.6, 0, 0, 0], [0, 0, 0, 1.0, 0.9, 0.7]])
    answers = np.column_stack([quality, loyalty]) @ loads + 0.6 * rng.standard_normal((n, 6)) + 5
    return pd.DataFrame(answers, columns=ITEMS), np.column_stack([quality, loyalty])


@pytest.fixture
def data(rng):
    return sample(rng)


def scored(frame, method="regression", **options):
    source = csat.read_survey(frame)
    found = sem(source, MODEL, **options)
    return found, factor_scores(found, source, method=method)


@pytest.mark.parametrize("method", ["regression", "bartlett"])
def test_determinacy_is_the_correlation_with_what_is_behind_the_answers(data, method):
    frame, constructs = data
    _, scores = scored(frame, method)
    for at in range(2):
        true = np.corrcoef(scores.scores.iloc[:, at], constructs[:, at])[0, 1]
        assert scores.determinacy[0, at] == pytest.approx(true, abs=0.01)
        left = scores.scores.iloc[:, at] - constructs[:, at]
        assert scores.errors.iloc[0, at] == pytest.approx(left.std(), rel=0.05)


def test_regression_scores_are_shrunk_and_bartlett_scores_are_not(data):
    frame, constructs = data
    slopes = {}
    for method in ("regression", "bartlett"):
        _, scores = scored(frame, method)
        slopes[method] = np.polyfit(constructs[:, 0], scores.scores["quality"], 1)[0]
    assert slopes["bartlett"] == pytest.approx(1.0, abs=0.03)
    assert slopes["regression"] == pytest.approx(0.83, abs=0.05)
    assert scores.tidy()["reliability"].between(0.5, 1).all()


def test_the_spread_of_regression_scores_is_the_reliable_part(data):
    found, scores = scored(data[0])
    variance = np.diag(found.latent_covariance())
    share = scores.scores.var(ddof=0) / variance
    assert share.to_numpy() == pytest.approx(scores.determinacy[0] ** 2, rel=0.01)
    assert scores.errors.iloc[0].to_numpy() ** 2 == pytest.approx(variance * (1 - scores.determinacy[0] ** 2), rel=1e-8)


def test_scores_follow_their_rows(data, rng):
    frame, _ = data
    order = rng.permutation(len(frame))
    one, other = scored(frame)[1], scored(frame.iloc[order].reset_index(drop=True))[1]
    np.testing.assert_allclose(other.scores.to_numpy(), one.scores.to_numpy()[order], atol=1e-6)
    part = frame.head(50)
    found = sem(csat.read_survey(frame), MODEL, means=True)
    few = factor_scores(found, csat.read_survey(part))
    np.testing.assert_allclose(few.scores, factor_scores(found, csat.read_survey(frame)).scores.head(50), atol=1e-12)


def test_who_left_something_out_is_counted(data):
    frame, _ = data
    frame = frame.astype(float)
    frame.loc[[3, 10], "q2"] = np.nan
    _, scores = scored(frame)
    assert scores.left_out == 2
    assert 3 not in scores.scores.index
    assert 4 in scores.scores.index
    assert scores.glance().loc[0, ["n", "left_out"]].tolist() == [3998, 2]


def test_with_gaps_allowed_fewer_answers_make_less_sure_scores(data):
    frame, _ = data
    frame.loc[3, "q2"] = np.nan
    frame.loc[4, ["q1", "q2", "q3"]] = np.nan
    frame.loc[5] = np.nan
    frame["fee"] = 1.0  # a row without any answer would not be read
    _, scores = scored(frame, missing="fiml")
    assert scores.left_out == 1
    errors = scores.errors["quality"]
    assert errors[0] < errors[3] < errors[4]
    assert scores.scores.loc[4, "quality"] == pytest.approx(
        0.6 / (0.36 + 0.64) * scores.scores.loc[4, "loyalty"], abs=0.05
    )  # what loyalty says of quality
    _, direct = scored(frame, "bartlett", missing="fiml")
    assert np.isnan(direct.scores.loc[4, "quality"])
    assert np.isfinite(direct.scores.loc[4, "loyalty"])
    assert direct.tidy().set_index("term")["n"].to_dict() == {"quality": 3998, "loyalty": 3999}


def test_groups_have_scores_of_their_own(data):
    frame, _ = data
    frame["hall"] = np.where(np.arange(len(frame)) % 4 == 0, "west", "east")
    frame.loc[frame["hall"] == "west", ITEMS[:3]] += [0.5, 0.4, 0.3]
    frame.loc[7, "hall"] = None
    source = csat.read_survey(frame)
    found = sem(source, MODEL, group="hall", equal=["loadings", "intercepts"])
    scores = factor_scores(found, source)
    assert scores.left_out == 1
    table = scores.tidy().set_index(["group", "term"])
    assert table.loc[("west", "quality"), "mean"] - table.loc[("east", "quality"), "mean"] == pytest.approx(
        0.5, abs=0.1
    )
    assert scores.groups.value_counts().to_dict() == {"east": 2999, "west": 1000}
    with pytest.raises(SampleError, match=r"Column 'hall' has the group 'north'.*'east', 'west'"):
        factor_scores(found, csat.read_survey(frame.assign(hall="north")))


def test_numbered_groups_are_found(data):
    frame, _ = data
    source = csat.read_survey(frame.assign(wave=np.arange(len(frame)) % 2 + 1))
    scores = factor_scores(sem(source, MODEL, group="wave"), source)
    assert set(scores.groups) == {"1", "2"}
    assert scores.left_out == 0


def test_a_part_of_the_survey_is_scored_alone(data):
    frame, _ = data
    source = csat.read_survey(frame.assign(hall=np.where(np.arange(len(frame)) < 100, "a", "b")))
    found = sem(source, MODEL, means=True)
    part = factor_scores(found, source.where(hall="a"))
    assert len(part.scores) == 100
    np.testing.assert_allclose(part.scores, factor_scores(found, source).scores.head(100))


def test_an_item_free_of_error_is_its_construct(data):
    frame, _ = data
    source = csat.read_survey(frame)
    found = sem(source, "quality =~ q1\nloyalty =~ l1 + l2 + l3\nloyalty ~ quality")
    for method in ("regression", "bartlett"):
        scores = factor_scores(found, source, method=method)
        np.testing.assert_allclose(scores.scores["quality"], frame["q1"] - frame["q1"].mean(), atol=1e-9)
        assert scores.errors["quality"].max() < 1e-5
        assert scores.determinacy[0, 0] == pytest.approx(1.0)


def test_an_indicator_with_another_cause_is_cleared_of_it(data, rng):
    """Bartlett's score takes the other observed variable as given; without it the indicator does not count."""
    frame, _ = data
    frame["fee"] = rng.standard_normal(len(frame))
    frame["q3"] += frame["fee"]
    frame.loc[0, "fee"] = np.nan
    source = csat.read_survey(frame)
    model = MODEL + "\nq3 ~ fee"
    found = sem(source, model, missing="fiml", fixed_x=False)
    direct = factor_scores(found, source, method="bartlett")
    assert abs(np.corrcoef(direct.scores["quality"][1:], frame["fee"][1:])[0, 1]) < 0.03
    assert direct.errors.loc[0, "quality"] > direct.errors.loc[1, "quality"]


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"method": "ten_berge"}, OptionError, "method='ten_berge' is not known; choose one of 'regression'"),
        ({"source": None}, OptionError, "A survey"),
        ({"result": 3}, OptionError, r"factor_scores is about a result of csat\.sem; found int 3"),
    ],
)
def test_wrong_input(data, change, error, message):
    source = csat.read_survey(data[0])
    asked = {"result": sem(source, MODEL), "source": source, "method": "regression"} | change
    with pytest.raises(error, match=message):
        factor_scores(asked.pop("result"), asked.pop("source"), **asked)


def test_what_cannot_be_scored(data):
    frame, _ = data
    source = csat.read_survey(frame)
    found = sem(source, MODEL)
    with pytest.raises(SampleError, match="Scoring respondents needs the respondents' rows"):
        factor_scores(found, source.groups(ITEMS, (), "listwise"))
    with pytest.raises(UnknownColumnError, match="No column 'l3'"):
        factor_scores(found, csat.read_survey(frame.drop(columns="l3")))
    with pytest.raises(SampleError, match="'q1' holds categories such as 'low'"):
        factor_scores(found, csat.read_survey(frame.assign(q1="low")))
    with pytest.raises(OptionError, match="no constructs"):
        factor_scores(sem(source, "l1 ~ q1 + q2"), source)
    with pytest.raises(SampleError, match="None of the 4000 respondents can be scored: nobody answered all"):
        factor_scores(found, csat.read_survey(frame.assign(q1=np.nan)))
    ordered = csat.read_survey(frame.apply(lambda column: pd.qcut(column, 4, labels=False)).astype(float))
    latent = sem(ordered, MODEL, estimator="WLSMV", ordered=True)
    with pytest.raises(OptionError, match=r"Scores of ordered items \(estimator='WLSMV'\)"):
        factor_scores(latent, ordered)


def test_a_negative_variance_leaves_scores_without_error():
    names = ["a", "b", "c"]
    cov = np.array([[1, 0.8, 0.7], [0.8, 1, 0.2], [0.7, 0.2, 1]])
    rows = np.random.default_rng(3).standard_normal((300, 3))
    rows -= rows.mean(axis=0)
    rows = rows @ np.linalg.inv(np.linalg.cholesky(np.cov(rows.T))).T @ np.linalg.cholesky(cov).T
    source = csat.read_survey(pd.DataFrame(rows, columns=names))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = sem(source, "f =~ a + b + c")
    scores = factor_scores(found, source)
    assert np.isfinite(scores.scores).all(axis=None)
    assert scores.errors["f"].isna().all()
