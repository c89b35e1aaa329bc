"""Tables and charts of structural models: figures as computed, in the field's form, in both languages."""

import itertools
import json
import re
import warnings
from dataclasses import asdict
from importlib import import_module
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Text

import csat
from csat.errors import OptionError
from csat.report.jupyter import Table
from csat.report.names import Names
from csat.report.network.blocks import written
from csat.report.remarks import PATTERNS, remark
from csat.report.tables.structural import between, bounded, chance_of, error_note, relation_of
from csat.report.text import to_csv
from csat.report.words import Word, words

SAMPLE = Path(__file__).parents[2] / "data" / "sample"
FACTORS = "image =~ C11 + C12 + C13 + C14\nvalue =~ C31 + C32 + C33"


@pytest.fixture(scope="module")
def fitted(study):
    """Every kind of structural result, from the sample study."""
    factor_scores = import_module("csat.structural.factor_scores").factor_scores
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", csat.CsatWarning)
        own = csat.read_survey(SAMPLE / "2026Q3.csv", study).where(branch="gansu")
        robust = csat.sem(own, study.model, estimator="MLR")
        one = csat.sem(own, FACTORS.replace("\n", " + ").replace(" + value =~", " +"), estimator="MLR")
        two = csat.sem(own, FACTORS, estimator="MLR")
        steps = csat.invariance(own, FACTORS, "brand", estimator="MLR")
        return {
            "robust": robust,
            "fiml": csat.sem(own, FACTORS, missing="fiml"),
            "pairwise": csat.sem(own, FACTORS, missing="pairwise"),
            "groups": csat.sem(own, FACTORS, group="line", equal="loadings"),
            "ordered": csat.sem(own, "value =~ C31 + C32 + C33 + C11", estimator="WLSMV", ordered=True),
            "invariance": steps,
            "broken": csat.invariance(own, FACTORS, "brand", steps=["configural", "metric"]),
            "comparison": csat.compare_models(one, two, names=["one", "two"]),
            "plain": csat.compare_models(csat.sem(own, FACTORS), csat.sem(own, FACTORS, orthogonal=True)),
            "means": steps.latent_means("all"),
            "equalities": steps.score_tests("metric"),
            "modifications": csat.modification_indices(robust),
            "polychoric": csat.polychoric(own, ["C31", "C32", "C33"], by="line"),
            "scores": factor_scores(robust, own),
        }


KINDS = [
    *(("robust", kind) for kind in ("parameters", "paths", "loadings", "fit")),
    ("fiml", "fit"), ("pairwise", "fit"), ("groups", "parameters"), ("groups", "loadings"),
    ("ordered", "parameters"), ("ordered", "thresholds"), ("ordered", "fit"),
    ("means", None), *(("invariance", kind) for kind in ("steps", "means", "equalities")), ("broken", "means"),
    ("comparison", None), ("plain", None), ("equalities", None), ("modifications", None),
    *(("polychoric", kind) for kind in ("correlations", "matrix", "thresholds")), ("scores", None),
]  # fmt: skip


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize(("name", "kind"), KINDS, ids=str)
def test_every_structural_result_has_a_table_in_every_medium(fitted, study, name, kind, lang):
    table = csat.table(fitted[name], lang, study, kind=kind)
    assert table.rows
    html, text = table._repr_html_(), repr(table)
    assert table.say(table.title) in text
    if lang == "zh":
        said = " ".join([table.say(table.title), *map(table.say, table.notes)])
        english = [note for note in map(table.say, table.notes) if re.match("[A-Z][a-z]+ [a-z]+ ", note)]
        assert re.search("[一-鿿]", said) and not english, "no remark stays English"
    again = Table.from_dict(json.loads(json.dumps(table.to_dict())))
    assert again._repr_html_() == html
    assert len(to_csv(table).splitlines()) == 1 + len(table.rows)


@pytest.mark.parametrize(
    ("name", "kind"), [k for k in KINDS if k[1] not in ("means", "equalities", "matrix") and k[0] != "means"], ids=str
)
def test_figures_are_those_of_the_result(fitted, name, kind):
    result = fitted[name]
    frames = [result.tidy(), result.glance(), *(fit.glance() for fit in getattr(result, "fits", ()))]
    frames += [pd.DataFrame([asdict(one)]) for one in getattr(result, "scaled", ()) if one is not None]
    known = {float(x) for f in frames for c in f.select_dtypes("number") for x in f[c]}
    shown = [cell.value for row in csat.table(result, kind=kind).rows for cell in row if isinstance(cell.value, float)]
    assert shown and all(np.isnan(x) or x in known for x in shown)


# Sem


def test_the_fit_table_sets_corrected_figures_beside_the_plain_ones(fitted):
    table = csat.table(fitted["robust"], kind="fit")
    assert [column.name for column in table.columns] == ["measure", "value", "scaled", "robust", "guide"]
    glance = fitted["robust"].glance().iloc[0]
    rows = {row[0].value.key.removeprefix("fit."): [cell.value for cell in row[1:4]] for row in table.rows}
    assert rows["cfi"] == [glance["cfi"], glance["cfi_scaled"], glance["cfi_robust"]]
    assert rows["chisq"] == [glance["chisq"], glance["chisq_scaled"], None]
    assert rows["scaling"] == [None, glance["scaling"], None]
    assert rows["srmr"] == [glance["srmr"], None, None]
    assert [column.name for column in csat.table(fitted["groups"], kind="fit").columns] == ["measure", "value", "guide"]
    assert [column.name for column in csat.table(fitted["fiml"], kind="fit").columns][2:] == ["robust", "guide"]


def test_the_fit_is_written_as_papers_write_it(fitted, study):
    glance = fitted["robust"].glance().iloc[0]
    line = next(note for note in repr(csat.table(fitted["robust"], kind="paths")).splitlines() if "χ²(" in note)
    pattern = (
        r"Scaled χ²\(241\) = (\d+\.\d\d), p [<=] (\.\d{3}); robust CFI = (\.\d{3}|1\.000), TLI = (\.\d{3}|1\.000), "
        r"RMSEA = (\.\d{3}) \[(\.\d{3}), (\.\d{3})\]; SRMR = (\.\d{3})\."
    )
    found = re.fullmatch(pattern, line)
    assert found
    names = ["chisq_scaled", "p_scaled", "cfi_robust", "tli_robust", "rmsea_robust", "rmsea_low_robust"]
    for text, name in zip(found.groups(), names, strict=False):
        assert float(text) == pytest.approx(glance[name], abs=0.006)
    assert "χ²(241) = " in repr(csat.table(fitted["robust"], "zh", study, kind="paths"))
    assert "CFI = 0." in repr(csat.table(fitted["robust"], "zh", study, kind="paths")), "Chinese keeps the zero"


@pytest.mark.parametrize(
    ("value", "en", "zh"), [(0.9534, ".953", "0.953"), (1.0, "1.000", "1.000"), (-0.02, "−0.020", "−0.020")]
)
def test_bounded_figures(value, en, zh):
    assert (bounded(value, Names("en")), bounded(value, Names("zh"))) == (en, zh)


def test_p_values_carry_their_sign():
    assert chance_of(0.0001, Names("en")) == "< .001"
    assert chance_of(0.0005, Names("en")) == "= .001"
    assert chance_of(0.049, Names("zh")) == "= 0.049"
    assert chance_of(np.nan, Names("en")) == "= –"


def test_groups_are_named_and_judged_each_by_its_own_size(fitted, study):
    from dataclasses import replace

    table = csat.table(fitted["groups"], "zh", study, kind="loadings")
    assert [column.name for column in table.columns][:3] == ["group", "relation", "about"]
    assert {row[0].value for row in table.rows} == {"移动", "宽带"}
    few = csat.table(replace(fitted["groups"], sizes=(fitted["groups"].sizes[0], 12)), names=study, kind="loadings")
    for row in few.rows:
        assert (row[3].value is None) == (row[0].value == "Broadband")


def test_thresholds_lie_between_answers(fitted, study):
    table = csat.table(fitted["ordered"], names=study, kind="thresholds")
    first = [row for row in table.rows if row[1].value.startswith("Tariff level: ")]
    assert [row[1].value for row in first][:2] == ["Tariff level: 1 | 2", "Tariff level: 2 | 3"]
    figures = [row[2].value for row in first]
    assert figures == sorted(figures)
    assert between((1.0, 2.0, 5.0), 2) == "2 | 5" and between(("no", "yes"), 1) == "no | yes"


@pytest.mark.parametrize(("variance", "key"), [
    ("expected information", "simple_sample"),
    ("observed information", "simple_sample"),
    ("robust sandwich, observed information; respondents", "se_robust"),
    ("robust sandwich, expected information; linearisation", "se_robust_design"),
    ("robust sandwich, observed information; replicates: JK1", "se_robust_replicates"),
    ("diagonal weights; linearisation", "se_robust_design"),
    ("something else", "se_other"),
])  # fmt: skip
def test_what_standard_errors_follow_from_is_said(variance, key):
    assert error_note(variance).key == f"note.{key}"


def test_gaps_are_told(fitted):
    fiml, pairs = (repr(csat.table(fitted[name], kind="loadings")) for name in ("fiml", "pairwise"))
    assert "respondents count, also those with gaps" in fiml and "left out for a missing answer" not in fiml
    assert "every covariance rests on those who answered both questions" in pairs


# Comparisons


def test_a_comparison_says_what_is_tested_against_what(fitted):
    table = csat.table(fitted["comparison"])
    tidy = fitted["comparison"].tidy()
    cells = {column.name: [row[at] for row in table.rows] for at, column in enumerate(table.columns)}
    assert [cell.value for cell in cells["model"]] == ["two", "one"]
    assert not cells["p"][0].applies and not cells["delta_cfi"][0].applies
    assert cells["chisq"][1].value == tidy["chisq_scaled"][1]
    assert cells["delta_cfi"][1].value == tidy["delta_cfi_robust"][1]
    text = repr(table)
    assert "corrected as by Satorra and Bentler (2001)" in text and "those of the robust indices" in text
    assert "plain difference" in repr(csat.table(fitted["plain"]))


def test_a_test_that_is_missing_has_its_reason_as_footnote(study):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", csat.CsatWarning)
        own = csat.read_survey(SAMPLE / "2026Q3.csv", study).where(branch="gansu")
        same = csat.compare_models(csat.sem(own, FACTORS), csat.sem(own, FACTORS))
    table = csat.table(same)
    at = [column.name for column in table.columns].index("p")
    assert table.rows[1][at].note == Word("reason.same_df")


def test_invariance_names_steps_and_verdicts(fitted, study):
    table = csat.table(fitted["invariance"], "zh", study)
    assert table.say(table.title) == "按品牌的测量不变性"
    assert [row[0].value.key for row in table.rows] == [
        f"step.{s}" for s in ("configural", "metric", "scalar", "strict")
    ]
    assert [row[-1].value.key.split(".")[1] for row in table.rows] == list(fitted["invariance"].verdicts)
    assert "CFI −0.010，RMSEA +0.015，SRMR +0.030（载荷），其后+0.010" in repr(table)
    assert "不变性成立至" in repr(table)


def test_a_broken_step_names_its_suspect(study):
    """Loadings that differ between two made groups."""
    load = np.array([0.8, 0.8, 0.8, 0.8])
    other = np.array([0.8, 0.8, 0.8, 0.1])
    rng = np.random.default_rng(3)
    rows = []
    for label, weights in (("a", load), ("b", other)):
        f = rng.normal(size=(600, 1))
        rows += [(label, *row) for row in f * weights + rng.normal(size=(600, 4)) * 0.6]
    frame = pd.DataFrame(rows, columns=["g", "C11", "C12", "C13", "C14"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", csat.CsatWarning)
        found = csat.invariance(csat.read_survey(frame), "image =~ C11 + C12 + C13 + C14", "g")
    text = repr(csat.table(found, names=study))
    assert "metric (equal loadings) does not hold; it would gain most if this were left free: " in text
    assert "Image → Reliability of products and services" in text
    means = csat.table(found, kind="means")
    at = [column.name for column in means.columns].index("estimate")
    assert means.rows[0][at].value is None and means.rows[0][at].note == Word("reason.not_invariant")
    axes = csat.plot(found)
    assert "not measured alike" in " ".join(text.get_text() for text in axes.texts).lower()
    plt.close("all")


def test_levels_beside_robust_changes_are_robust_too(fitted):
    table, fits = csat.table(fitted["invariance"]), fitted["invariance"].fits
    at = [column.name for column in table.columns].index("cfi")
    assert [row[at].value for row in table.rows] == [fit.glance()["cfi_robust"][0] for fit in fits]
    changes = [row[at].value for row in table.rows]
    delta = [column.name for column in table.columns].index("delta_cfi")
    np.testing.assert_allclose([row[delta].value for row in table.rows[1:]], np.diff(changes), atol=1e-12)


def test_the_joint_test_of_equalities_has_its_p_in_words(fitted):
    assert re.search(r"together: χ²\(\d+\) = \d+\.\d\d, p (=|<) \.\d{3}\.", repr(csat.table(fitted["equalities"])))


def test_latent_means_name_both_groups(fitted, study):
    table = csat.table(fitted["invariance"], names=study, kind="means")
    assert {row[2].value for row in table.rows} == {"GoTone"}
    assert len(csat.table(fitted["means"], names=study).rows) == 6


def test_modification_indices_are_hints(fitted, study):
    table = csat.table(fitted["modifications"], names=study)
    assert len(table.rows) == 25
    shown = [row[2].value for row in table.rows]
    assert shown == sorted(shown, reverse=True)
    text = repr(table)
    assert "hint, no reason" in text and "The 25 largest of" in text
    assert {row[-1].value.key for row in table.rows} <= {
        f"decision.{d}" for d in ("misspecified", "fine", "inconclusive")
    }


@pytest.mark.parametrize(("triple", "said"), [
    (("f", "=~", "x"), "f → x"), (("f", "<~", "x"), "x → f"), (("y", "~", "x"), "x → y"),
    (("x", "~~", "y"), "x ↔ y"), (("x", "~~", "x"), "x"), (("x", "~1", ""), "x"), (("a", "==", "b*c"), "a = b*c"),
])  # fmt: skip
def test_relations_read_from_cause_to_effect(triple, said):
    assert relation_of(*triple, Names("en")) == said


# Remarks


def _of_values():
    """What a model says of values that do not exist, and of the order of its groups."""
    from csat.structural.samples import order_of_groups

    cov = pd.DataFrame(np.full((3, 3), 0.5) + np.eye(3), list("abc"), list("abc"))
    model = "f =~ 1*a + 1*b + 1*c\na ~~ v*a\na ~~ b\nb ~~ 0*b\nq := log(0 - v)"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        notes = csat.sem(csat.from_covariance(cov, 300), model).notes
    return [*notes[:1], *notes[-1:], *order_of_groups(csat.Model("y ~ c(s, t)*x"), ("one", "two"))]


def test_remarks_of_the_engine_have_words(fitted):
    """Each pattern must still meet a sentence that the engine writes."""
    from types import SimpleNamespace

    from csat.structural.gaps.answered import Answered
    from csat.structural.gaps.fiml import _indefinite, _without_predictors
    from csat.structural.gaps.pairwise import doubts_of_pairs
    from csat.structural.ordered.categories import doubts_of_items, notes_of_items
    from csat.structural.uncertainty.robust import doubts_of_design

    def design(chisq, baseline):
        scaled = SimpleNamespace(chisq_scaled=chisq, baseline_scaling=baseline)
        robust = SimpleNamespace(scaled=scaled, sandwich=SimpleNamespace(trace=-1.0))
        return doubts_of_design(robust, SimpleNamespace(df=9.0, psus=("a",), replication=None), 24)

    zero = np.zeros(1, int)
    answered = Answered(np.full((1, 2, 2), 80), zero + 1, zero, zero + 3, zero + 100)
    items = SimpleNamespace(sparse=("C11 = 1 (2)",), unused=("C12 = 3",))
    said = [
        *(text for _, text in (*design(np.nan, np.nan), *design(1.0, np.nan))),
        *(text for _, text in (*_without_predictors(answered), *doubts_of_pairs(answered), *doubts_of_items(items))),
        *(text for _, text in _indefinite(SimpleNamespace(proper=False))),
        *notes_of_items(items),
        *fitted["polychoric"].notes,
        *_of_latent_responses(),
        *_of_factors(),
        *_of_values(),
    ]
    found = {remark(text).key.removeprefix("remark.") for text in said if not isinstance(remark(text), str)}
    assert found == set(PATTERNS)
    assert not [text for text in said if isinstance(remark(text), str)]
    for lang in ("en", "zh"):
        assert all("{" not in words(lang).say(remark(text)) for text in said)
    assert remark("Something new.") == "Something new."


def _of_factors():
    """Remarks of factor analyses: an item explained wholly, thin factors, little shared, a design left out."""
    rng = np.random.default_rng(6)
    wholly = np.array([[1, 0.93, 0.3, 0.3], [0.93, 1, 0.3, 0.2], [0.3, 0.3, 1, 0.6], [0.3, 0.2, 0.6, 1.0]])
    chain = np.eye(4) + 0.5 * (np.eye(4, k=1) + np.eye(4, k=-1)) * np.array([[1], [1], [1], [0]])
    chain[3, 2] = chain[2, 3] = 0.0
    names = list("abcd")
    common = rng.standard_normal((300, 1)) + rng.standard_normal((300, 4))
    common[:, 3] = rng.standard_normal(300)
    odd = np.array([[1, 0.6, 0.6, 0.05], [0.6, 1, 0.6, -0.08], [0.6, 0.6, 1, 0.06], [0.05, -0.08, 0.06, 1]])
    weighted = pd.DataFrame(common, columns=names).assign(w=np.where(common[:, 0] > 0, 2.0, 1.0))
    survey = csat.read_survey(weighted, design=csat.Design(weight="w"))
    said = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", csat.CsatWarning)
        for source, options in (
            (csat.from_covariance(wholly, 200, names=names), {"factors": 1}),
            (csat.from_covariance(chain, 200, names=names), {"factors": 1, "method": "minres"}),
            (csat.from_covariance(odd, 200, names=names), {"factors": 1}),
            (survey, {}),
            (survey.groups(names, (), "listwise"), {"factors": 1}),
        ):
            said += csat.efa(source, names, **options).notes
    return said


def _of_latent_responses():
    """Remarks of three odd sets of answers."""
    rng = np.random.default_rng(5)
    n = 60
    twin = rng.integers(0, 2, n)
    perfect = pd.DataFrame({"a": twin, "b": twin + 0, "c": rng.integers(0, 3, n)})
    empty = pd.DataFrame({"a": [0] * 30 + [1] * 30, "b": [0] * 30 + [1] * 10 + [0] * 20, "c": rng.integers(0, 3, n)})
    few = pd.DataFrame(rng.integers(0, 2, (12, 6)), columns=list("abcdef"))
    tails = pd.DataFrame({"a": rng.standard_t(2, 400) ** 3, "b": rng.normal(size=400), "c": rng.integers(0, 3, 400)})
    said = []
    for frame, options in ((perfect, {}), (empty, {}), (few, {}), (tails, {"continuous": ["a", "b"]})):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", csat.CsatWarning)
            said += csat.polychoric(csat.read_survey(frame), list(frame), **options).notes
    return said


# Charts


@pytest.fixture(autouse=True)
def close():
    yield
    plt.close("all")


CHARTS = [
    ("robust", "residuals"), ("robust", "loadings"), ("groups", "loadings"), ("groups", "residuals"),
    ("invariance", None), ("means", None),
    ("polychoric", None), ("ordered", "path"), ("groups", "path"), ("fiml", "path"),
]  # fmt: skip


def _unseen(panel):
    """Labels of ticks beyond the view, and of axes that are not drawn."""
    for axis in (panel.xaxis, panel.yaxis):
        low, high = sorted(axis.get_view_interval())
        for tick in (*axis.majorTicks, *axis.minorTicks):
            for label, on in ((tick.label1, tick.label1.get_visible()), (tick.label2, tick.label2.get_visible())):
                if not (panel.axison and on and low <= tick.get_loc() <= high):
                    yield label


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize(("name", "kind"), CHARTS, ids=str)
def test_charts_have_every_glyph_and_no_text_over_another(fitted, study, name, kind, lang, tmp_path):
    axes = csat.plot(fitted[name], kind, lang, names=study, base="x")
    axes.figure.savefig(tmp_path / "chart.png")
    renderer = axes.figure.canvas.get_renderer()
    unseen = {label for panel in axes.figure.axes for label in _unseen(panel)}
    shown = [text for text in axes.figure.findobj(Text) if text.get_visible() and text.get_text().strip()]
    texts = [text for text in shown if text not in unseen]
    found = [(text.get_text(), text.get_window_extent(renderer).padded(-1.5)) for text in texts]
    overlaps = [(a, b) for (a, one), (b, two) in itertools.combinations(found, 2) if one.overlaps(two)]
    assert not overlaps
    width, height = axes.figure.canvas.get_width_height()
    assert not [text for text, box in found if box.x0 < 0 or box.y0 < 0 or box.x1 > width or box.y1 > height]


def test_the_residual_map_shows_what_the_model_leaves(fitted, study):
    axes = csat.plot(fitted["robust"], "residuals", names=study)
    square = fitted["robust"].residuals("cor").to_numpy()
    cells = [text.get_text() for text in axes.texts if text.get_gid() is None]
    below = square[np.tril_indices(len(square), -1)]
    assert len(cells) == len(below)
    shown = np.array([float(cell.replace("−", "-")) for cell in cells])
    np.testing.assert_allclose(shown, below, atol=0.0051)
    assert axes.get_yticklabels()[0].get_text().split() == ["1", "Brand", "awareness"]
    with pytest.raises(OptionError, match="group='north' is not known"):
        csat.plot(fitted["groups"], "residuals", group="north")


def test_latent_means_are_drawn_in_standard_deviations(fitted, study):
    axes = csat.plot(fitted["invariance"], names=study)
    dots = [float(line.get_xdata()[0]) for line in axes.lines if line.get_marker() == "o"]
    assert dots == fitted["invariance"].latent_means().tidy()["effect"].tolist()


def test_loadings_of_groups_stand_side_by_side(fitted, study):
    axes = csat.plot(fitted["groups"], "loadings", names=study)
    expected = fitted["groups"].standardized("all").query("op == '=~'")
    marks = [line for line in axes.lines if line.get_marker() in ("o", "s") and len(line.get_xdata())]
    assert [float(line.get_xdata()[0]) for line in marks] == expected["estimate"].tolist()
    assert {line.get_marker() for line in marks} == {"o", "s"}, "groups are told apart in grey too"
    assert len(axes.get_yticks()) == len(expected) / 2
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["Mobile", "Broadband"]
    one = csat.plot(fitted["groups"], "loadings", names=study, group="broadband")
    assert one.get_title(loc="left").endswith("Broadband") or "(Broadband)" in one.get_title(loc="left")
    assert len([line for line in one.lines if line.get_marker() == "o"]) == len(expected) / 2


def test_a_lone_indicator_is_not_beyond_one(study):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", csat.CsatWarning)
        own = csat.read_survey(SAMPLE / "2026Q3.csv", study).where(branch="gansu")
        result = csat.sem(own, "value =~ C31 + C32 + C33\nstay =~ L1\nstay ~ value")
    axes = csat.plot(result, "loadings", names=study)
    assert not [text for text in axes.texts if "!" in text.get_text()]
    assert written(1 + 1e-12) == "1.00" and written(1.001) == "1.00 !"


def test_the_statistic_is_named_after_its_distribution(fitted):
    def heading(name):
        table = csat.table(fitted[name], kind="parameters")
        return next(column.heading for column in table.columns if column.name == "statistic")

    assert np.isfinite(fitted["robust"].df) and heading("robust") == Word("column.t")
    assert np.isinf(fitted["groups"].df) and heading("groups") == Word("column.z")
