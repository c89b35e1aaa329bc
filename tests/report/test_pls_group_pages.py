"""Tables and charts of what follows a path model, in both languages: predictions, slopes, groups, segments."""

import re
import warnings
from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Text

import csat
from csat.design import Design, Replication
from csat.errors import OptionError
from csat.report.names import Names
from csat.report.plots import PLOTS
from csat.report.plots.gap import PALE
from csat.report.remarks import OF_PATH_MODELS, remark
from csat.report.tables import TABLES
from csat.report.tables.pls_groups import errors_notes, exchange_word, group_label, relation_text
from csat.report.words import words

MODEL = "image =~ a1 + a2\nquality =~ b1 + b2\nloyalty =~ c1 + c2\nquality ~ image\nloyalty ~ image + quality"
ITEMS = ["a1", "a2", "b1", "b2", "c1", "c2"]
LANGUAGES = ("en", "zh")


@pytest.fixture(scope="module")
def found():
    rng = np.random.default_rng(11)
    n, sizes = 330, {"x": 170, "y": 135, "z": 25}
    group = np.repeat(list(sizes), list(sizes.values()))
    image = rng.normal(size=n)
    quality = np.where(group == "x", 0.8, 0.2) * image + 0.6 * rng.normal(size=n)
    loyalty = 0.4 * image + 0.3 * quality + 0.25 * image * quality + 0.6 * rng.normal(size=n)
    scores = dict(zip("abc", (image, quality, loyalty), strict=True))
    frame = pd.DataFrame({item: 6 + scores[item[0]] + 0.4 * rng.normal(size=n) for item in ITEMS}).assign(brand=group)
    survey, big = (csat.read_survey(rows, design=Design()) for rows in (frame, frame[frame["brand"] != "z"]))
    product = MODEL.replace("image + quality", "image + quality + image:quality")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", csat.CsatWarning)
        whole = csat.pls(survey, MODEL, replicates=50)
        groups, two = (csat.pls(rows, MODEL, by="brand", replicates=50) for rows in (survey, big))
        return {
            "prediction": csat.pls_predict(whole, survey, repeats=2),
            "alone": csat.pls_predict(whole, survey, folds="loo", antecedents="earliest", benchmark="antecedents"),
            "few": csat.pls_predict(groups, survey, group="z", folds=5),
            "slopes": csat.pls_slopes(csat.pls(survey, product, replicates=50)),
            "slopes by": csat.pls_slopes(csat.pls(survey, product, by="brand", replicates=50), at=(-1, 1)),
            "differences": csat.pls_differences(groups),
            "welch": csat.pls_differences(two, method="welch", adjust="none"),
            "permuted": csat.pls_differences(
                groups, survey, method="permutation", kinds=["path", "total", "rho_a", "r2"], permutations=50
            ),
            "micom": csat.micom(groups, survey, permutations=50),
            "segments": csat.pls_segments(whole, survey, 3, starts=4),
            "one": csat.pls_segments(whole, survey, 1),
        }


NAMES = (
    *("prediction", "alone", "few", "slopes", "slopes by", "differences", "welch", "permuted", "micom", "segments"),
    "one",
)


def records(table):
    """Rows of a table: column name → cell."""
    return [dict(zip([column.name for column in table.columns], row, strict=True)) for row in table.rows]


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("name", NAMES)
def test_every_table_is_worded(found, name, lang):
    for kind in TABLES[type(found[name]).__name__]:
        text = repr(csat.table(found[name], lang, kind=kind))
        assert "{" not in text
        assert not re.search(r"\b(column|note|micom|title|predictor|slope|units|remark|scheme)\.\w", text)
        if lang == "zh":
            said = re.sub(r"Q² predict|MICOM|RMSE|MAE|AIC|CAIC|BIC|Holm|Henseler|SD", "", text)
            assert not re.search(r"[A-Za-z]{3,} [a-z]{2,} [a-z]{2,}", said)


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("name", [name for name in NAMES if name != "micom"])
def test_every_chart_can_be_drawn(found, name, lang):
    absent = {"weight", "loading", "indirect"} if name == "permuted" else set()
    for kind in set(PLOTS[type(found[name]).__name__]) - absent:
        ax = csat.plot(found[name], kind, lang)
        ax.figure.canvas.draw()
        assert not [text.get_text() for text in ax.figure.findobj(Text) if "{" in text.get_text()]
        plt.close(ax.figure)


def test_errors_of_predictions_are_those_of_the_result(found):
    result = found["prediction"]
    table = csat.table(result)
    for row, theirs in zip(records(table), result.tidy().to_dict("records"), strict=True):
        for name in ("rmse", "linear_rmse", "mae", "linear_mae", "q2"):
            assert row[name].value == theirs[name]
    better = int((result.rmse["pls"] < result.rmse["linear"]).sum())
    assert f"linear model: {better} of 4 items; Q² above 0: {int((result.q2 > 0).sum())}." in repr(table)
    assert "10 parts, shared out at random 2 times (seed 1)" in repr(table)
    alone = repr(csat.table(found["alone"]))
    assert "predicted by a model of all others" in alone
    assert "constructs at the beginning of the paths" in alone


def test_few_respondents_are_not_shown(found):
    for kind in ("prediction", "cvpat"):
        table = csat.table(found["few"], kind=kind)
        assert all(
            cell.missing for row in records(table) for name, cell in row.items() if name in ("rmse", "loss", "p")
        )
        assert "smaller than that of the linear model" not in repr(table)
    ax = csat.plot(found["few"])
    assert not ax.lines
    plt.close(ax.figure)
    ax = csat.plot(found["few"], "cvpat")
    assert "6 not shown" in ax.get_xlabel()
    plt.close(ax.figure)


def test_the_margin_of_the_chart_of_errors_has_both_models_and_q2(found):
    result = found["prediction"]
    ax = csat.plot(result)
    texts = {text.get_text() for text in ax.texts}
    for row in result.tidy().to_dict("records"):
        assert f"{row['rmse']:.2f} · {row['linear_rmse']:.2f} · {row['q2']:.2f}" in texts
    plt.close(ax.figure)


def test_all_items_together_are_no_construct_of_that_name(found):
    result = found["prediction"]
    assert records(csat.table(result, kind="cvpat"))[0]["construct"].value == "quality"
    assert "All items" in repr(csat.table(result, kind="cvpat"))
    twin = replace(
        result,
        groups=("overall", "loyalty", "overall"),
        differences=replace(
            result.differences,
            keys=result.differences.keys | {"construct": ("overall", "loyalty", "overall") * 2},
        ),
    )
    assert repr(csat.table(twin, kind="cvpat")).count("All items") == 2


def test_slopes_have_their_intervals_in_the_legend(found):
    result = found["slopes"]
    rows = records(csat.table(result))
    assert [row["estimate"].value for row in rows] == result.estimates.estimate.tolist()
    ax = csat.plot(result)
    low, high = result.estimates.interval
    legend = [text.get_text() for text in ax.get_legend().get_texts()]
    written = [
        f"{slope:.2f} [{a:.2f}; {b:.2f}]".replace("-", "−")
        for slope, a, b in zip(result.estimates.estimate, low, high, strict=True)
    ]
    assert [text.split(": ")[1] for text in legend] == written
    points = result.lines((-2.0, 2.0))
    for at, line in zip((-1, 0, 1), ax.lines, strict=True):
        ends = points.loc[points["at"] == at, "y"]
        np.testing.assert_allclose(line.get_ydata()[[0, -1]], ends)
    plt.close(ax.figure)


def test_groups_of_slopes_have_panels_and_small_ones_none(found):
    ax = csat.plot(found["slopes by"])
    panels = ax.figure.axes
    assert [len(panel.lines) for panel in panels] == [2, 2, 0]
    assert "Fewer than 30 respondents" in panels[2].texts[0].get_text()
    plt.close(ax.figure)
    figure, own = plt.subplots()
    with pytest.raises(OptionError, match="draw them without ax="):
        csat.plot(found["slopes by"], ax=own)
    plt.close(figure)


def test_differences_are_pale_within_chance_and_hidden_on_few(found):
    result = found["differences"]
    frame = result.tidy()
    frame = frame[frame["kind"] == "path"].assign(n=result.estimates.n[(result.tidy()["kind"] == "path").to_numpy()])
    ax = csat.plot(result)
    dots = [line for line in ax.lines if line.get_marker() == "o"]
    seen = frame[frame["n"] >= 30]
    assert len(dots) == len(seen) == 3
    for dot, row in zip(dots, seen.to_dict("records"), strict=True):
        assert dot.get_xdata()[0] == row["estimate"]
        assert (dot.get_markeredgecolor() == PALE) == (row["p_adjusted"] >= 0.05)
    assert {line.get_markeredgecolor() for line in dots} > {PALE}
    assert "6 not shown" in ax.get_xlabel()
    plt.close(ax.figure)
    for row in records(csat.table(result)):
        few = "z" in (row["group"].value, row["against"].value)
        assert row["estimate"].missing == row["p"].missing == few


def test_only_kinds_that_are_there_are_drawn(found):
    with pytest.raises(OptionError, match="no differences of kind 'weight'; it has path, total, r2, rho_a"):
        csat.plot(found["permuted"], "weight")


def test_a_permutation_shows_the_range_of_chance(found):
    result = found["permuted"]
    names = [column.name for column in csat.table(result).columns]
    assert {"null_low", "null_high", "p_adjusted"} <= set(names)
    plain = [column.name for column in csat.table(found["welch"]).columns]
    assert not {"null_low", "null_high", "p_adjusted"} & set(plain)
    text = repr(csat.table(result))
    assert f"mean geodesic distance {result.omnibus['statistic'][0]:.3f}" in text
    assert "Group labels of respondents were exchanged; 50 of 50 permutations" in text
    ax = csat.plot(result)
    frame = result.tidy()
    bars = [(bar.get_x(), bar.get_x() + bar.get_width()) for bar in ax.patches]
    seen = frame[(frame["kind"] == "path") & (frame["group"] == "x") & (frame["against"] == "y")]
    np.testing.assert_allclose(bars, seen[["null_low", "null_high"]])
    plt.close(ax.figure)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_invariance_has_three_steps_and_a_verdict(found, lang):
    result, say = found["micom"], words(lang).say
    rows = records(csat.table(result, lang))
    tidy = result.tidy()
    assert len(rows) == 3 * len(tidy)
    for i, theirs in enumerate(tidy.to_dict("records")):
        steps = rows[3 * i : 3 * i + 3]
        few = "z" in (theirs["group"], theirs["against"])
        assert [step["verdict"].applies for step in steps] == [True, False, False]
        if few:
            assert steps[0]["verdict"].value == ""
            assert all(step["value"].missing and step["p"].missing for step in steps)
            continue
        assert [step["value"].value for step in steps] == [theirs[name] for name in ("c", "mean", "variance")]
        assert [step["null_high"].applies for step in steps] == [False, True, True]
        assert say(steps[0]["verdict"].value) == words(lang).sentences[f"micom.{theirs['invariance']}"]
    text = repr(csat.table(result, lang))
    assert {"en": "Step 1: All groups have the same 6 items in the same 3", "zh": "步骤一：各组的题目（6个）"}[
        lang
    ] in text
    assert {"en": "inner scheme (path)", "zh": "路径法"}[lang] in text


def test_every_remark_on_permutations_has_words(found):
    one = "No labels can be exchanged (respondents within strata): there is no p-value. Compare them by their contrast."
    few = "Only 20 arrangements of the group labels are possible (sampling units): no p-value can be below 0.1."
    fixed = (
        "3 of 17 units lie in strata or sampling units of one group: their labels stay, and they say nothing about "
        "differences."
    )
    from csat.composites.exchange import Exchange

    label, block = np.array([0, 1, 0, 1, 0]), np.array([0, 0, 1, 1, 2])
    rows = (np.ones((5, 1)), np.ones(5), np.empty((0, 0)), np.empty(0), "sampling units within strata")
    made = Exchange(label, block, 2, *rows).notes(1000) + Exchange(label, np.arange(5), 2, *rows).notes(1000)
    assert len(made) == 3
    for lang in LANGUAGES:
        for note in (one, few, fixed, *made):
            for said in (note, f"x × u and y: {note}"):
                text = words(lang).say(exchange_word(said, Names(lang)))
                assert "{" not in text
                assert ("x · u ↔ y" in text) == (said != note)
                assert (note not in text) or lang == "en"
        assert "20" in words(lang).say(exchange_word(few, Names(lang)))
    assert "标签" in words("zh").say(exchange_word(one, Names("zh")))


@pytest.mark.filterwarnings("ignore::csat.errors.ReversedItemWarning")  # random answers
def test_every_pattern_meets_a_sentence_of_the_engine(found):
    """Of invariance, permutations and errors; those of single path models are met where their pages are tested."""
    from csat.composites.exchange import Exchange
    from csat.composites.invariance import _configural
    from csat.replicates.redone import bootstrap

    frame = pd.DataFrame(np.random.default_rng(2).normal(size=(60, 6)), columns=ITEMS)
    survey, weights = csat.read_survey(frame), {f"r{i}": 2.0 * (np.arange(60) % 20 != i) for i in range(20)}
    replicated = csat.read_survey(
        frame.assign(w=1.0, **weights),
        design=Design(weight="w", replicates=tuple(weights), replication=Replication("JK1", scale=0.95)),
    )
    plain = csat.pls(survey, MODEL, replicates=50, scaled=False)
    variances = [
        result.estimates.provenance.variance
        for result in (plain, csat.pls(survey, MODEL, se="jackknife"), csat.pls(replicated, MODEL))
    ]
    calibrated = replace(survey.groups(ITEMS, (), "listwise"), calibrated=True)
    variances.append(f"{bootstrap(survey, calibrated, 50, 1).words}, 50 replicates")
    rows = (np.ones((5, 1)), np.ones(5), np.empty((0, 0)), np.empty(0), "sampling units")
    label = np.array([0, 1, 0, 1, 0])
    exchanges = [Exchange(label, block, 2, *rows) for block in (np.array([0, 0, 1, 1, 2]), np.arange(5))]
    notes = [note for each in exchanges for note in each.notes(1000)]
    said = [remark(text) for text in (*variances, *notes, _configural(plain), found["micom"].configural)]
    mine = {key for key in OF_PATH_MODELS if not key.startswith("pls_")}
    assert {word.key.removeprefix("remark.") for word in said} == mine


def test_how_errors_were_made_has_words():
    kinds = ("respondents", "sampling units", "random groups of respondents")
    made = [f"bootstrap of {of}{given}, 50 replicates" for of in kinds
            for given in ("", ", calibrated weights taken as given")]  # fmt: skip
    for variance in (*made, "jackknife, 50 replicates", "replicates: BRR, 50 replicates"):
        for lang in LANGUAGES:
            (note,) = errors_notes(variance)
            said = words(lang).say(note)
            assert "50" in said
            assert variance not in said
    assert errors_notes("none") == []
    assert words("en").say(errors_notes("of another kind")[0]) == "Standard errors: of another kind."


def test_criteria_and_paths_of_segments(found):
    result = found["segments"]
    rows = records(csat.table(result))
    assert [row["bic"].value for row in rows] == result.criteria["bic"].tolist()
    assert not rows[0]["entropy"].applies
    shown = records(csat.table(result, kind="paths"))
    tidy = result.tidy()
    assert len(shown) == len(result.names) + 2
    for k, n in tidy.drop_duplicates("segment")[["segment", "n"]].itertuples(index=False):
        theirs = tidy[tidy["segment"] == k]
        mine = [row[f"s{k}"] for row in shown]
        if n < 30:
            assert all(cell.missing for cell in mine)
        else:
            assert [cell.value for cell in mine[:3]] == theirs["estimate"].tolist()
            assert mine[3].value == theirs["r2"].iloc[0]
    assert [row["whole"].value for row in shown[:3]] == result.whole.tolist()


def test_the_smallest_criteria_are_filled(found):
    ax = csat.plot(found["segments"])
    best = found["segments"].criteria.set_index("segments")
    filled = [line for line in ax.lines if line.get_markersize() == 8]
    assert [line.get_xdata()[0] for line in filled] == [best[name].idxmin() for name in ("aic3", "aic4", "bic", "caic")]
    assert f"BIC: {best['bic'].min():.2f}" in [text.get_text() for text in ax.get_legend().get_texts()]
    plt.close(ax.figure)


def test_relations_and_groups_in_words(study):
    names = Names("zh", study)
    assert relation_text("path", "loyalty", "image:quality", names) == "企业形象 × 服务质量 → 客户忠诚"
    assert relation_text("r2", "loyalty", "", names) == "客户忠诚"
    assert relation_text("loading", "loyalty", "L1", names).startswith("客户忠诚 → ")
    assert relation_text("weight", "loyalty", "L1", names).endswith(" → 客户忠诚")
    assert group_label("gotone × xian", names).startswith("全球通 · ")
