"""What charts tell about themselves: every kind of chart has its figures, those of the result, and words on them."""

import json
import math
import pickle
import warnings

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

import csat
from csat.bases import Base
from csat.report.chart import CHART_MIME, Chart
from csat.report.plots import PLOTS
from csat.report.plots.telling import Label, listening, rows, whole
from csat.report.plots.trend import apart

#: How each kind of chart may be drawn elsewhere.
FORMS = {
    "Index": {"index": "dots", "nodes": "dots", "groups": "dots", "items": "dots"},
    "Levels": {"likert": "diverging"},
    "Regression": {"coefficients": "bars", "odds": "dots", "effects": "bars"},
    "Stepwise": {"steps": "bars", "stability": "stacked"},
    "Stability": {"stability": "stacked"},
    "Subsets": {"subsets": "picture"},
    "Importance": {"importance": "bars"},
    "Ipa": {"ipa": "picture"},
    "Asymmetry": {"asymmetry": "bars"},
    "Diagnosis": dict.fromkeys(("diagnosis", "residuals", "qq", "scale", "leverage", "partial"), "picture"),
    "Sem": {"path": "picture", "loadings": "dots", "residuals": "picture"},
    "Invariance": {"means": "bars"},
    "LatentMeans": {"means": "bars"},
    "Efa": {"loadings": "picture", "scree": "lines"},
    "FactorNumber": {"scree": "lines"},
    "Polychoric": {"correlations": "picture"},
    "Reliability": {"scales": "dots", "htmt": "picture"},
    "Pls": {"path": "picture", "paths": "dots", "loadings": "dots"},
    "Ipma": {"ipma": "picture", "items": "picture"},
    "Prediction": {"prediction": "dots", "cvpat": "bars"},
    "Slopes": {"slopes": "picture"},
    "PlsDifferences": dict.fromkeys(PLOTS["PlsDifferences"], "bars"),
    "Segments": {"criteria": "lines", "paths": "dots"},
    "Evaluation": {"evaluation": "stacked", "items": "stacked", "verdict": "dots", "hierarchy": "picture",
                   "operators": "picture"},
    "FactorWeights": {"weights": "bars"},
    "Ahp": {"weights": "bars"},
    "WeightComparison": {"weights": "dots", "verdict": "dots"},
    "Gaps": {"bars": "bars", "dumbbell": "dots"},
    "Trend": {"trend": "lines", "changes": "bars"},
    "ChangeSplit": {"split": "bars"},
    "Letters": {"letters": "dots"},
    "Shrunken": {"league": "dots"},
    "Crosstab": {"crosstab": "dots"},
    "Difference": {"difference": "dots"},
    "Estimates": {"estimates": "dots"},
}  # fmt: skip
#: Results of audits, complaints and time limits have tests of their own.
ELSEWHERE = {"Audits", "Complaints", "ComplaintChanges", "BeforeAfter", "Sla"}
#: Charts whose figures are not in `tidy()` as they are: cumulated, less the smallest, of another method.
OTHERWISE = {("Stepwise", "steps"), ("Stepwise", "stability"), ("Stability", "stability"), ("Segments", "criteria"),
             ("Segments", "paths"), ("Efa", "scree"), ("FactorNumber", "scree"), ("Prediction", "cvpat"),
             ("Levels", "likert"), ("Regression", "odds"), ("Regression", "effects")}  # fmt: skip


@pytest.fixture(autouse=True)
def close():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def found(results, driven, own, study):
    """A result of every class that has a chart."""
    three = ["C21", "C22", "C23"]
    scales = {"quality": three, "value": ["C31", "C32", "C33"]}
    small = "a =~ C21 + C22 + C23\nb =~ C31 + C32 + C33\nc =~ L1 + L2\nb ~ a\nc ~ a + b"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", csat.CsatWarning)
        whole_, groups = csat.pls(own, small, replicates=50), csat.pls(own, small, by="line", replicates=50)
        product = csat.pls(own, f"{small} + a:b", replicates=50)
        steps = csat.invariance(own, "a =~ C21 + C22 + C23\nb =~ C31 + C32 + C33", "line")
        efa = csat.efa(own, [*three, "C31", "C32", "C33"], 2)
        judged = csat.ahp({"x": {("quality", "value"): 3}, "y": {("quality", "value"): 2}})
        return {
            "by": results["by"], "Index": results["index"],
            "Levels": own.levels(three), "Regression": driven["ordered"],
            "Stepwise": driven["stepwise"], "Stability": driven["stability"], "Subsets": driven["subsets"],
            "Importance": driven["importance"], "Ipa": driven["ipa"], "Asymmetry": driven["asymmetry"],
            "Diagnosis": driven["diagnosis"], "Sem": results["sem"], "Invariance": steps,
            "LatentMeans": steps.latent_means("all"), "Efa": efa,
            "FactorNumber": csat.number_of_factors(own, three + scales["value"]),
            "Polychoric": csat.polychoric(own, three), "Reliability": csat.reliability(own, scales), "Pls": whole_,
            "Ipma": whole_.ipma("c"), "Prediction": csat.pls_predict(whole_, own, folds=3),
            "Slopes": csat.pls_slopes(product), "PlsDifferences": csat.pls_differences(groups),
            "Segments": csat.pls_segments(whole_, own, 2, starts=2), "Evaluation": csat.evaluate(own, replicates=50),
            "FactorWeights": csat.factor_weights(own, "service_value", method="entropy"), "Ahp": judged,
            "WeightComparison": csat.compare_weights(own, {"entropy": "entropy", "equal": "equal"}, replicates=50),
            "Gaps": results["gaps"], "Trend": results["trend"], "ChangeSplit": results["split"],
            "Letters": results["letters"], "Shrunken": results["league"], "Crosstab": results["crosstab"],
            "Difference": results["difference"], "Estimates": results["mean"],
        }  # fmt: skip


def told(axes) -> Chart:
    """What the figure of a chart brings into a notebook."""
    plain = json.loads(json.dumps(axes.figure._repr_mimebundle_()[CHART_MIME]))
    return Chart.from_dict(plain)


def numbers(frame: pd.DataFrame) -> np.ndarray:
    """All numbers of a tidy frame, and as parts of one where they are per cent."""
    known = frame.select_dtypes("number").to_numpy(float).ravel()
    known = known[np.isfinite(known)]
    return np.concatenate([known, known / 100])


def tidy_of(name: str, result) -> pd.DataFrame:
    """Frame with the figures of a result."""
    if name == "Sem":
        return result.standardized("all")
    if name in ("Crosstab", "Difference"):
        return (result.shares if name == "Crosstab" else result.groups).tidy()
    if name == "Evaluation":
        return pd.concat([result.tidy(), result.verdicts()])
    if name == "Reliability":
        return result.constructs()
    if name == "Invariance":
        return result.latent_means().tidy()
    if name == "Prediction":
        return pd.DataFrame(result.rmse)
    if name == "WeightComparison":
        return pd.concat([result.tidy(), *(one.estimates.tidy() for one in result.weights)])
    if name in ("FactorWeights", "Ahp"):
        return (result if name == "FactorWeights" else result.weights).estimates.tidy()
    return result.tidy()


def test_every_kind_is_known():
    assert {name: set(kinds) for name, kinds in FORMS.items()} == {
        name: set(kinds) for name, kinds in PLOTS.items() if name not in ELSEWHERE
    }


@pytest.mark.parametrize(("name", "kind"), [(name, kind) for name, kinds in FORMS.items() for kind in kinds], ids=str)
def test_every_chart_tells_its_figures(found, study, name, kind):
    """Form, categories, series, intervals, level and words; every figure is one of the result."""
    result = found["by"] if kind == "groups" else found[name]
    if name == "PlsDifferences" and kind not in ("differences", *result.tidy()["kind"]):
        pytest.skip("these groups have no differences of this kind")
    chart = told(csat.plot(result, kind, names=study))
    usual = kind == next(iter(PLOTS[name])) or chart.kind == "picture"
    chinese = told(csat.plot(result, kind, "zh", names=study)) if usual else None
    assert chart.kind == FORMS[name][kind]
    assert chart.native == (chart.kind in ("bars", "stacked", "diverging", "lines"))
    assert chart.title and chart.alt.startswith(chart.title.rstrip("."))
    assert "{" not in chart.alt and "  " not in chart.alt
    assert len(chart.alt) > len(chart.title) + 10
    if chinese is not None:
        assert "{" not in chinese.alt and any("一" <= char <= "鿿" for char in chinese.alt)
        assert [one.values for one in chinese.series] == [one.values for one in chart.series]
    if chart.kind == "picture":
        assert not chart.series and not chart.categories
        return
    assert chart.series and chart.categories and "\n" not in "".join(chart.categories)
    given = [value for series in chart.series for value in series.values if value is not None]
    assert given
    for series in chart.series:
        assert len(series.values) == len(chart.categories)
        assert {len(series.low), len(series.high)} <= {0, len(series.values)}
        for value, low, high in zip(series.values, series.low, series.high, strict=False):
            assert (low is None) == (high is None)
            assert low is None or (value is not None and low <= high)
    assert (chart.level is not None) == any(series.low for series in chart.series)
    if (name, kind) not in OTHERWISE:
        known = numbers(tidy_of(name, result))
        far = [value for value in given if np.abs(known - value).min() > 1e-9]
        assert not far


def test_rows_stand_in_the_order_of_the_picture_with_their_intervals(results, study):
    chart, frame = told(csat.plot(results["index"], "items", names=study)), results["index"].tidy()
    frame = frame[frame["kind"] == "item"].sort_values("estimate", ascending=False)
    (series,) = chart.series
    assert chart.categories == tuple(study.text(code, "en") for code in frame["term"])
    np.testing.assert_allclose(series.values, frame["estimate"])
    np.testing.assert_allclose(series.low, frame["low"])
    np.testing.assert_allclose(series.high, frame["high"])
    assert chart.level == 0.95 and chart.unit == "score" and "Score, 0–100" in chart.notes


def test_small_bases_are_none_and_marked(results, study):
    chart, frame = told(csat.plot(results["cells"], "groups", names=study)), results["cells"].tidy()
    frame = frame[frame["kind"] == "index"].sort_values("estimate", ascending=False)
    (series,) = chart.series
    hidden = np.array([value is None for value in series.values])
    assert (frame["n"].to_numpy() < 30).sum() <= hidden.sum() and hidden.any()
    assert all(low is None for low, hide in zip(series.low, hidden, strict=True) if hide)
    open_ = np.array([name.endswith(" ○") for name in chart.categories])
    assert open_.any() and not (open_ & hidden).any()
    assert (frame["n"].to_numpy()[open_] < 100).all()
    assert any("fewer than 30" in note for note in chart.notes)
    assert f"{hidden.sum()} figures are not shown" in chart.alt


def test_figures_with_a_chart_survive_copying(results, own):
    for result, kind in ((results["gaps"], "dumbbell"), (own.levels(["overall"]), "likert")):
        axes = csat.plot(result, kind)
        copied = pickle.loads(pickle.dumps(axes.figure))  # noqa: S301
        assert copied._repr_mimebundle_() == axes.figure._repr_mimebundle_()


def test_groups_are_series_of_the_same_rows(results, study):
    chart = told(csat.plot(results["by"], "nodes", names=study))
    assert len(chart.series) == 3 and all(series.name for series in chart.series)
    assert len(chart.categories) == len(set(chart.categories))


def test_several_panels_stay_a_picture_and_nothing_is_compared_across_them(results, study):
    chart = told(csat.plot(results["scales"], names=study))
    assert (chart.kind, chart.series, chart.native) == ("picture", (), False)
    assert "Highest" not in chart.alt


def test_answers_lie_on_both_sides_of_zero_with_the_middle_halved(own, study):
    levels = own.levels(["overall", "S1"])
    chart = told(csat.plot(levels, "likert", names=study))
    shares = {study.text(name, "en"): levels.shares(name)[0] for name in levels.names}
    values = np.array([series.values for series in chart.series], float).T
    for category, row in zip(chart.categories, values, strict=True):
        bands = shares[category].reshape(5, 2).sum(axis=1)
        np.testing.assert_allclose(row, [-bands[2] / 2, -bands[1], -bands[0], bands[2] / 2, bands[3], bands[4]])
        assert np.abs(row).sum() == pytest.approx(1)
    balance = values.sum(axis=1)
    assert (np.diff(balance) <= 0).all(), "best first"


def test_short_scales_show_every_answer_and_even_ones_have_no_middle():
    scale = {"low": 1, "high": 4}
    frame = pd.DataFrame({"a": [1, 2, 3, 4] * 50, "b": [4, 4, 3, 1] * 50, "g": ["x"] * 190 + ["y"] * 10})
    asked = csat.Questionnaire("four", scales=(four := csat.questionnaire.Scale("four", **scale),), items=(
        csat.questionnaire.Item("a", four), csat.questionnaire.Item("b", four)), columns=(
        csat.questionnaire.Column("g", "category"),))  # fmt: skip
    survey = csat.read_survey(frame, asked)
    axes = csat.plot(survey.levels(["a", "b"]), "likert")
    chart = told(axes)
    assert chart.categories == ("b", "a")
    assert [series.name for series in chart.series] == ["2", "1", "3", "4"]
    np.testing.assert_allclose([series.values[0] for series in chart.series], [0, -0.25, 0.25, 0.5])
    grouped = told(csat.plot(survey.levels(["a"], ["g"]), "likert"))
    assert [series.values.count(None) for series in grouped.series] == [2] * 4, "ten of a group, the rest withheld"


def test_answers_of_different_scales_are_refused(own):
    with pytest.raises(csat.errors.OptionError, match="overall and nps have different ones"):
        csat.plot(own.levels(["overall", "nps"]), "likert")


def test_labels_keep_their_whole_text():
    assert whole("网络\n覆盖") == "网络覆盖"
    assert whole("Ease of\ntop-up") == "Ease of top-up"
    assert whole(Label.of("Ease\nof…", "Ease of  top-up")) == "Ease of top-up"


def test_telling_without_a_listener_does_nothing_and_nothing_leaks():
    rows(["a"], [1.0])
    with listening() as one:
        rows(["a", "b"], [1.0, math.nan], [0.0, 0.0], [2.0, 2.0], bases=[Base.ENOUGH, Base.SMALL])
    assert one.series[0].values == (1.0, None)
    assert one.series[0].low == (0.0, None)
    assert one.categories == ("a", "b ○")
    with listening() as other:
        assert other.series == []


@pytest.mark.parametrize("seed", range(5))
def test_labels_at_the_ends_of_lines_keep_apart(seed):
    rng = np.random.default_rng(seed)
    wanted, heights = rng.uniform(0, 10, 8), rng.uniform(0.4, 1.2, 8)
    found = np.array(apart(wanted.tolist(), heights.tolist(), 0, 10))
    order = np.argsort(found)
    edges = found[order][1:] - found[order][:-1] - (heights[order][1:] + heights[order][:-1]) / 2
    assert (edges > -1e-6).all()
    assert (np.argsort(wanted) == order).all()
