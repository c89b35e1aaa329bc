"""Charts of the driver analysis draw what the results say, in both languages, without overlap."""

import itertools
from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.text import Annotation, Text
from numpy.testing import assert_allclose

import csat
from csat.errors import OptionError
from csat.report.plots import PLOTS
from csat.report.plots import diagnosis as diagnosis_plots
from csat.report.plots.labels import MARKER, offsets
from csat.report.plots.regression import odds_ticks

KINDS = [
    ("regression", None), ("regression by", None), ("factors", None), ("ordered", None), ("ordered", "odds"),
    ("ordered", "effects"), ("logit by", None), ("logit by", "odds"), ("logit by", "effects"), ("stepwise", "steps"),
    ("stepwise", "stability"), ("aic", "steps"), ("aic", "stability"), ("stability", None), ("subsets", None),
    ("importance", None), ("importance by", None), ("importance em", None), ("ipa", None), ("ipa by", None),
    ("ipa twenty", None), ("ipa stated", None), ("asymmetry", None), ("diagnosis", None), ("diagnosis", "residuals"),
    ("diagnosis", "qq"), ("diagnosis", "scale"), ("diagnosis", "leverage"), ("diagnosis", "partial"),
]  # fmt: skip


@pytest.fixture(autouse=True)
def close():
    yield
    plt.close("all")


def boxes(figure):
    """Every text that a figure shows, with its box in pixels."""
    figure.canvas.draw()
    renderer = figure.canvas.get_renderer()
    hidden = set()
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            low, high = sorted(axis.get_view_interval())
            for tick in (*axis.majorTicks, *axis.minorTicks):
                outside = not low - 1e-9 <= tick.get_loc() <= high + 1e-9
                hidden |= {id(label) for label in (tick.label1, tick.label2) if outside or not axes.axison}
    texts = [text for text in figure.findobj(Text) if text.get_visible() and text.get_text().strip()]
    return [(text.get_text(), Text.get_window_extent(text, renderer)) for text in texts if id(text) not in hidden]


def dots(axes, mark="o"):
    """Where single dots of a mark stand."""
    found = [line for line in axes.lines if line.get_marker() == mark and len(line.get_xdata()) == 1]
    return np.array([[float(line.get_xdata()[0]), float(line.get_ydata()[0])] for line in found]).reshape(-1, 2)


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize(("name", "kind"), KINDS, ids=str)
def test_draws_without_a_missing_glyph_overlap_or_cut(driven, study, name, kind, lang, tmp_path):
    """Warnings are errors here: matplotlib warns of a glyph that no font has."""
    axes = csat.plot(driven[name], kind, lang, names=study, base="everyone")
    axes.figure.savefig(tmp_path / "chart.png")
    found = boxes(axes.figure)
    if lang == "zh":
        assert any("一" <= char <= "鿿" for text, _ in found for char in text)
    inner = [(text, box.padded(-2)) for text, box in found]
    overlaps = [(a, b) for (a, one), (b, two) in itertools.combinations(inner, 2) if one.overlaps(two)]
    assert not overlaps
    width, height = axes.figure.canvas.get_width_height()
    cut = [text for text, box in found if box.x0 < -1 or box.y0 < -1 or box.x1 > width + 1 or box.y1 > height + 1]
    assert not cut
    assert ("Base: everyone." if lang == "en" else "基数：everyone。") in " ".join(text for text, _ in found)


def test_coefficients_stand_where_they_are(driven, study):
    frame = driven["regression"].tidy().iloc[1:].sort_values("estimate", ascending=False)
    axes = csat.plot(driven["regression"], names=study)
    assert_allclose(dots(axes)[:, 0], frame["estimate"])
    bars = [line.get_xdata() for line in axes.lines if line.get_marker() == "None" and len(set(line.get_ydata())) == 1]
    assert_allclose(np.array(bars[:9], float), frame[["low", "high"]])
    grey = [line.get_markeredgecolor() for line in axes.lines if line.get_marker() == "o"]
    clear = ((frame["low"] > 0) | (frame["high"] < 0)).tolist()
    assert [colour == "#0072B2" for colour in grey] == clear


def test_groups_stand_side_by_side_with_their_own_marks(driven, study):
    result = driven["regression by"]
    axes = csat.plot(result, names=study)
    frame = result.tidy()
    for mark, brand in zip("osD", ("gotone", "mzone", "easyown"), strict=True):
        rows = frame[(frame["brand"] == brand) & (frame["term"] != "(intercept)")]
        assert_allclose(np.sort(dots(axes, mark)[:, 0]), np.sort(rows["estimate"]))
    fills = {line.get_marker(): line.get_markerfacecolor() for line in axes.lines if len(line.get_xdata()) == 1}
    assert fills["s"] == "#ffffff" and fills["o"] != "#ffffff", "54 respondents are drawn open"
    hidden = replace(result, n=np.array([124.0, 130.0, 12.0]))
    axes = csat.plot(hidden, names=study)
    assert len(dots(axes, "D")) == 0 and len(dots(axes, "o")) + len(dots(axes, "s")) == 9
    said = axes.get_xlabel()
    assert "fewer than 30 respondents" in said and "so that no small group can be worked out" in said


def test_odds_and_effects_stand_where_they_are(driven, study):
    ordered = driven["ordered"]
    axes = csat.plot(ordered, "odds", names=study)
    assert axes.get_xscale() == "log"
    assert_allclose(dots(axes)[:, 0], np.sort(np.exp(ordered.coefficients.estimate[:9]))[::-1])
    axes = csat.plot(ordered, "effects", names=study)
    assert_allclose(dots(axes)[:, 0], np.sort(ordered.effects.estimate)[::-1])
    with pytest.raises(OptionError, match='kind="odds" needs a regression with family="logit"'):
        csat.plot(driven["regression"], "odds")


@pytest.mark.parametrize(("low", "high"), [(0.8, 1.5), (0.03, 5), (0.95, 1.06), (1e-4, 2e3), (1.1, 1.9)])
def test_ticks_of_odds_are_round_and_apart(low, high):
    ticks = odds_ticks(low, high)
    assert ticks == sorted(ticks) and all(low <= tick <= high for tick in ticks)
    assert 2 <= len(ticks) <= 10
    assert (1.0 in ticks) == (low <= 1 <= high)


def test_steps_add_up_to_r2_and_say_who_came_and_went(driven, study):
    found = driven["stepwise"]
    axes = csat.plot(found, names=study)
    ends = [bar.get_x() + bar.get_width() for bar in axes.patches[len(found.steps) :]]
    assert_allclose(ends, found.steps["r2"])
    assert axes.get_yticklabels()[0].get_text() == "+ Network performance"
    out = csat.plot(driven["aic"], names=study)
    assert out.get_yticklabels()[1].get_text() == "− Brand"
    margin = [text.get_text() for text in out.texts]
    assert "AIC" in margin[0] and f"{driven['aic'].start_criterion:.2f}" in margin[1]
    assert f"{driven['aic'].steps['criterion'].iloc[0]:.2f}" in margin[2]


def test_frequencies_are_split_by_sign(driven, study):
    found = driven["stepwise"].stability
    axes = csat.plot(driven["stepwise"], "stability", names=study)
    frame = found.tidy().sort_values("frequency", ascending=False, kind="stable")
    bars = [bar for bar in axes.patches if np.isfinite(bar.get_width()) and np.isfinite(bar.get_x())]
    solid = np.array([bar.get_width() for bar in bars if not bar.get_hatch()])
    hatched = np.array([bar.get_width() for bar in bars if bar.get_hatch()])
    assert_allclose(solid + hatched, frame["frequency"])
    assert_allclose(solid, (frame["positive"].fillna(0) * frame["frequency"]).to_numpy())
    dark = [bar.get_facecolor()[:3] for bar in bars if not bar.get_hatch()]
    assert len(set(dark)) == 2
    assert [colour == dark[0] for colour in dark] == frame["chosen"].tolist()
    several = csat.plot(driven["aic"], "stability", names=study)
    assert "Several coefficients" in [text.get_text() for text in several.get_legend().get_texts()]


def test_subsets_ring_the_model_that_the_criterion_prefers(driven, study):
    found = driven["subsets"]
    axes = csat.plot(found, names=study)
    best = found.table[found.table["rank"] == 1]
    path = next(line for line in axes.lines if line.get_linestyle() == "-" and len(line.get_xdata()) > 2)
    assert_allclose(path.get_ydata(), best["bic"])
    ring = next(line for line in axes.lines if line.get_markersize() == 12)
    assert ring.get_xdata()[0] == len(found.selected)
    members = axes.figure.axes[1]
    squares = next(line for line in members.lines if line.get_marker() == "s")
    assert len(squares.get_xdata()) == len(found.selected)
    assert len(csat.plot(found, ax=plt.figure().subplots()).figure.axes) == 1


def test_bars_of_importance_are_its_shares(driven, study):
    found = driven["importance"]
    axes = csat.plot(found, names=study)
    frame = found.tidy().sort_values("rank")
    assert_allclose([bar.get_width() for bar in axes.patches], frame["share"])
    whiskers = axes.collections[0].get_segments()
    assert_allclose([[segment[0][0], segment[1][0]] for segment in whiskers], frame[["share_low", "share_high"]])
    grey = [bar.get_facecolor()[:3] for bar in axes.patches]
    vague = {note.term for note in found.notes if note.kind == "noise"}
    assert [colour != grey[0] for colour in grey] == [term in vague for term in frame["term"]]
    assert "28%" in [text.get_text() for text in axes.texts]
    small = replace(found, estimates=replace(found.estimates, n=np.full(9, 60)))
    assert {bar.get_facecolor() for bar in csat.plot(small).patches} == {(1.0, 1.0, 1.0, 1.0)}
    groups = csat.plot(driven["importance by"], names=study)
    gansu = driven["importance by"].tidy().query("branch == 'gansu'")
    assert_allclose(np.sort(dots(groups)[:, 0]), np.sort(gansu["share"]))


def test_a_summary_without_rows_says_why_there_are_no_intervals():
    cov = np.array([[4.0, 1.0, 2.0], [1.0, 4.0, 1.5], [2.0, 1.5, 5.0]])
    table = csat.from_covariance(cov, n=300, mean=[6.0, 7.0, 6.5], names=["a", "b", "y"])
    for result in (csat.importance(table, "y", ["a", "b"]), csat.ipa(table, "y", ["a", "b"])):
        said = csat.plot(result).get_xlabel()
        assert "This source is a summary without rows." in said
        assert "interval" not in said and "Ellipses" not in said


def test_the_map_puts_drivers_where_they_are(driven, study):
    found = driven["ipa"]
    axes = csat.plot(found, names=study)
    points = np.vstack([dots(axes, mark) for mark in "oDs^"])
    wanted = np.stack([found.performance.estimate, found.importances.estimate], axis=1)
    assert_allclose(np.sort(points, axis=0), np.sort(wanted, axis=0))
    lines = [np.array(line.get_xydata(), float) for line in axes.lines if line.get_marker() == "None"]
    x, y = found.cuts[0]
    assert any((line[:, 0] == x).all() for line in lines) and any((line[:, 1] == y).all() for line in lines)
    outlines = [line for line in lines if len(line) == 120]
    assert_allclose(outlines[0], found.ellipse("P1", 120))
    single = [line for line in axes.lines if len(line.get_xdata()) == 1]
    full = {line.get_marker() for line in single if line.get_markerfacecolor() != "#ffffff"}
    assert full == {"s", "^"}, "only two quadrants are at least 95% sure"
    texts = {text.get_text() for text in axes.texts}
    assert {"Keep up the good work", "Concentrate here", "Low priority", "Possible overkill"} <= texts
    assert len([text for text in axes.texts if isinstance(text, Annotation) and text.arrow_patch is not None]) == 9


def test_a_map_by_groups_has_a_panel_each_with_its_iso_line(driven, study):
    found = driven["ipa by"]
    axes = csat.plot(found, "ipa", "zh", names=study)
    panels = axes.figure.axes
    assert [panel.get_title(loc="left") for panel in panels] == ["甘肃", "西安", "青海", "竞争对手"]
    for panel, group, (intercept, slope) in zip(panels, found.groups, found.lines, strict=True):
        points = np.vstack([dots(panel, mark) for mark in "oDs^"])
        assert_allclose(np.sort(points[:, 0]), np.sort(found.of(*group).performance.estimate))
        diagonal = next(line for line in panel.lines if type(line).__name__ == "AxLine")
        x, y = diagonal.get_xy1()
        assert_allclose([diagonal.get_slope(), y], [slope, intercept + slope * x])
    with pytest.raises(OptionError, match="There are 4 maps: draw them without ax="):
        csat.plot(found, ax=plt.figure().subplots())
    n = np.where(np.repeat(np.arange(4), 18) == 2, 12, found.estimates.n)
    hidden = csat.plot(replace(found, estimates=replace(found.estimates, n=n)), names=study).figure.axes
    shown = [len(np.vstack([dots(panel, mark) for mark in "oDs^"])) for panel in hidden]
    assert sorted(shown) == [0, 0, 9, 9] and shown[2] == 0


def test_more_maps_than_one_figure_holds_are_refused(driven):
    from csat.report.plots.priority import MOST_MAPS, _panels

    many = replace(driven["ipa by"], groups=tuple((f"g{place}",) for place in range(12)))
    with pytest.raises(OptionError, match=f"One figure holds up to {MOST_MAPS} maps; there are 12"):
        _panels(many, None)


def test_rewards_and_penalties_are_bars_around_zero(driven, study):
    found = driven["asymmetry"]
    axes = csat.plot(found, names=study)
    frame = found.tidy().sort_values("range", ascending=False)
    bars = [bar for bar in axes.patches if np.isfinite(bar.get_width()) and bar.get_height() == pytest.approx(0.34)]
    assert_allclose([bar.get_width() for bar in bars], [*frame["penalty"], *frame["reward"]])
    band = axes.patches[0].get_extents().transformed(axes.transData.inverted())
    assert_allclose([band.x0, band.x1], [-found.negligible, found.negligible])
    classes = [text.get_text() for text in axes.texts]
    assert classes == frame["class"].tolist()
    n = found.n.copy()
    n[0, 0] = 12
    fewer = [bar for bar in csat.plot(replace(found, n=n)).patches if bar.get_height() == pytest.approx(0.34)]
    assert len(fewer) == len(bars) - 1


def test_the_diagnosis_draws_its_rows(driven, study):
    found = driven["diagnosis"]
    rows = found.rows
    residuals = csat.plot(found, "residuals", names=study)
    assert_allclose(residuals.lines[0].get_xydata(), rows[["fitted", "residual"]])
    normal = csat.plot(found, "qq")
    assert_allclose(normal.lines[0].get_ydata(), np.sort(rows["standardized"]))
    spread = csat.plot(found, "scale")
    assert_allclose(spread.lines[0].get_ydata(), np.sqrt(rows["standardized"].abs()))
    influence = csat.plot(found, "leverage")
    assert_allclose(influence.lines[0].get_xydata(), rows[["leverage", "studentized"]])
    named = {text.get_text() for text in influence.texts}
    assert {str(row) for row in rows["cooks_d"].nlargest(5).index} <= named
    assert "Influence, with contours of Cook's distance: regression of overall" in csat.plot(
        found, "leverage", names=study
    ).get_title(loc="left")


def test_contours_are_those_of_cooks_distance(driven):
    """On the contour, Cook's D from studentised residual and leverage is 4/n."""
    found = driven["diagnosis"]
    axes = csat.plot(found, "leverage")
    contour = next(line for line in axes.lines if len(line.get_xdata()) > 20 and line.get_marker() == "None")
    h, t = np.array(contour.get_xydata(), float).T
    r2 = t**2 * found.df / (found.df - 1 + t**2)
    assert_allclose(r2 * h / ((1 - h) * len(found.coefficients)), 4 / len(found.rows), rtol=1e-10)
    internal = found.rows["standardized"] ** 2
    external = found.rows["studentized"] ** 2
    assert_allclose(internal, external * found.df / (found.df - 1 + external), rtol=1e-8)


def test_added_variables_have_the_slope_of_the_coefficient(driven, study):
    found = driven["diagnosis"]
    axes = csat.plot(found, "partial", names=study, term="P4")
    line = np.array(axes.lines[1].get_xydata(), float)
    assert_allclose(np.diff(line[:, 1]) / np.diff(line[:, 0]), found.coefficients["P4"])
    assert_allclose(axes.lines[0].get_xydata(), found.partial("P4")[["x_residual", "y_residual"]])
    assert len(csat.plot(found, "partial").figure.axes) == 9
    with pytest.raises(OptionError, match=r"There are 9 drivers: draw them without ax=, or one, term='P1'"):
        csat.plot(found, "partial", ax=plt.figure().subplots())
    with pytest.raises(OptionError, match="term='P11' is not known"):
        csat.plot(found, "partial", term="P11")
    with pytest.raises(OptionError, match="term= is an option of kind='partial'"):
        csat.plot(found, "qq", term="P1")


def test_an_exact_regression_has_nothing_to_diagnose(driven, study):
    rows = driven["diagnosis"].rows.assign(standardized=np.nan, studentized=np.nan, cooks_d=np.nan, residual=0.0)
    for kind in (None, "qq", "leverage", "partial"):
        axes = csat.plot(replace(driven["diagnosis"], rows=rows), kind, names=study)
        assert "The drivers in the model determine the outcome" in axes.texts[0].get_text()


def test_large_diagnoses_are_thinned_but_keep_what_sticks_out(driven, study):
    rng = np.random.default_rng(3)
    rows = driven["diagnosis"].rows
    many = rows.iloc[rng.integers(0, len(rows), 30_000)].reset_index(drop=True)
    many.loc[17, ["studentized", "standardized", "residual"]] = [9.5, 9.0, 14.0]
    kept = diagnosis_plots.kept(many)
    assert kept.sum() <= diagnosis_plots.MOST and kept[17]
    assert kept.sum() > 0.8 * diagnosis_plots.MOST
    axes = csat.plot(replace(driven["diagnosis"], rows=many), "residuals", names=study)
    assert len(axes.lines[0].get_xdata()) == kept.sum()
    assert f"{kept.sum():,} of 30,000 respondents drawn" in axes.get_xlabel()
    assert diagnosis_plots.kept(rows).all()


@pytest.mark.parametrize("name", [name for name, kind in KINDS if kind is None and name != "stability"])
def test_what_rests_on_few_is_a_sentence(driven, study, name):
    result = driven[name]
    if name in ("regression", "regression by", "factors", "ordered", "logit by"):
        few = replace(result, n=np.full(np.shape(result.n), 4) if np.ndim(result.n) else 12)
    elif name == "diagnosis":
        few = replace(result, rows=result.rows.head(12))
    elif name == "subsets":
        few = replace(result, n=12)
    elif name.startswith(("importance", "asymmetry", "ipa")):
        n = np.full(len(result.estimates.n), 4 if " by" in name else 12)
        few = replace(result, estimates=replace(result.estimates, n=n))
    axes = csat.plot(few, names=study)
    assert not axes.axison and "fewer than 30: not shown" in axes.texts[0].get_text()


def test_more_groups_than_marks_are_refused(own, study):
    found = csat.importance(own, "overall", ["P1", "P2"], by=["city", "brand"])
    assert len(found.groups) > 6
    with pytest.raises(OptionError, match="Up to 6 groups can be told apart in one chart; there are"):
        csat.plot(found, names=study)


def rectangles(points, sizes, places):
    centres = points + places
    return np.concatenate([centres - sizes / 2, centres + sizes / 2], axis=1)


@pytest.mark.parametrize("seed", range(12))
def test_names_beside_points_do_not_overlap_and_stay_inside(seed):
    rng = np.random.default_rng(seed)
    points = np.column_stack([rng.uniform(40, 460, 14), rng.uniform(30, 300, 14)])
    sizes = np.column_stack([rng.uniform(40, 100, 14), np.full(14, 11.0)])
    frame, fixed = np.array([0.0, 0.0, 500.0, 330.0]), np.array([[0.0, 312.0, 90.0, 330.0, 1.0]])
    places = offsets(points, sizes, fixed, frame)
    found = rectangles(points, sizes, places)
    for one, other in itertools.combinations(found, 2):
        assert (np.maximum(one[:2], other[:2]) >= np.minimum(one[2:], other[2:])).any(), "two names overlap"
    assert (found[:, :2] >= 0).all() and (found[:, 2:] <= frame[2:]).all()
    covered = (np.abs(points[None] - (points + places)[:, None]) < sizes[:, None] / 2 + MARKER / 2).all(axis=2)
    assert not covered.any(), "a name covers a marker"
    np.testing.assert_array_equal(places, offsets(points, sizes, fixed, frame))


def test_no_points_need_no_places():
    empty = np.empty((0, 2))
    assert offsets(empty, empty, np.empty((0, 5)), np.array([0.0, 0.0, 1.0, 1.0])).shape == (0, 2)


def test_kinds_of_the_documentation_exist():
    wanted = {kind for name in ("Regression", "Stepwise", "Diagnosis") for kind in PLOTS[name]}
    assert not [kind for kind in wanted if f'"{kind}"' not in csat.plot.__doc__]
