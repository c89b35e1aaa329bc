"""Tables of the driver analysis: every figure from the result, every gap with its reason, small bases hidden."""

import json
from dataclasses import replace
from itertools import product

import numpy as np
import pandas as pd
import pytest

import csat
from csat.errors import OptionError
from csat.report.format import number, signed
from csat.report.jupyter import Table
from csat.report.names import Names
from csat.report.tables import TABLES
from csat.report.text import to_csv

KINDS = [
    *[("regression", kind) for kind in ("coefficients", "terms", "overlap", "fit")],
    *[("regression by", kind) for kind in ("coefficients", "terms", "overlap", "fit", "differences")],
    *[("factors", kind) for kind in ("coefficients", "terms", "overlap")],
    *[("ordered", kind) for kind in ("coefficients", "terms", "overlap", "odds", "effects", "fit")],
    *[("logit by", kind) for kind in ("coefficients", "terms", "odds", "effects", "differences", "fit")],
    *[("stepwise", kind) for kind in ("steps", "final", "excluded", "stability", "models")],
    *[("aic", kind) for kind in ("steps", "final", "excluded", "stability", "models")],
    *[("stability", kind) for kind in ("stability", "models")],
    ("subsets", None),
    *product(("importance", "importance by", "importance em"), ("importance", "differences")),
    ("differences", None),
    *product(("ipa", "ipa by", "ipa twenty", "ipa stated"), ("ipa", "quadrants", "priorities")),
    *[("asymmetry", kind) for kind in ("asymmetry", "differences")],
    *[("diagnosis", kind) for kind in ("tests", "flagged", "limits")],
]  # fmt: skip


def cells(table, name):
    """The cells of a column."""
    place = [column.name for column in table.columns].index(name)
    return [row[place] for row in table.rows]


def said(table, name):
    """The texts of a column."""
    return [table.say(cell.value) for cell in cells(table, name)]


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize(("name", "kind"), KINDS, ids=str)
def test_every_result_has_its_tables_in_both_languages(driven, study, name, kind, lang):
    table = csat.table(driven[name], lang, study, kind=kind)
    assert table.rows
    assert all(len(row) == len(table.columns) for row in table.rows)
    html = table._repr_html_()
    body = html.partition("<tbody>")[2]
    assert body.count("<tr") == len(table.rows)
    assert body.count("<p>") == len(table.footnotes()) + len(table.notes)
    if lang == "zh":
        headings = [table.say(column.heading) for column in table.columns]
        words = [*headings, table.say(table.title), *map(table.say, table.notes), *map(table.say, table.footnotes())]
        latin = [word for word in words if not any("一" <= char <= "鿿" for char in word)]
        assert set(latin) <= {"F", "R²", "VIF", "GVIF", "GVIF^(1/2df)", "AIC", "BIC", "Cp", "Cook's D", "95% interval"}
    assert Table.from_dict(json.loads(json.dumps(table.to_dict())))._repr_html_() == html
    assert len(to_csv(table).splitlines()) == 1 + len(table.rows)


def frames_of(result):
    """Every frame of a result that a table may show."""
    frames = [result.tidy(), result.glance()]
    for name in ("excluded", "terms", "models", "columns", "table", "tests", "limits", "flagged", "effects"):
        found = getattr(result, name, None)
        frames += [found.tidy() if hasattr(found, "tidy") else found] if found is not None else []
    final, stability = getattr(result, "final", None), getattr(result, "stability", None)
    frames += [] if final is None else [final.tidy(), final.glance()]
    frames += [] if stability is None else frames_of(stability)
    return [frame for frame in frames if isinstance(frame, pd.DataFrame)]


@pytest.mark.parametrize(("name", "kind"), [k for k in KINDS if k[1] != "differences"], ids=str)
def test_figures_are_those_of_the_result(driven, name, kind):
    result = driven[name]
    known = {float(x) for frame in frames_of(result) for column in frame.select_dtypes("number") for x in frame[column]}
    if name in ("ordered", "logit by"):
        known |= {float(x) for x in np.exp(result.coefficients.estimate)}
        known |= {float(x) for column in ("estimate", "low", "high") for x in result.odds_ratios()[column]}
    known |= {x / 100 for x in known}
    figures = [
        cell.value
        for row in csat.table(result, kind=kind).rows
        for cell in row
        if isinstance(cell.value, float) and np.isfinite(cell.value)
    ]
    assert figures
    assert not [x for x in figures if x not in known]


def test_coefficients_have_betas_and_logits_have_odds_ratios(driven, study):
    linear = csat.table(driven["regression"], names=study)
    assert [cell.applies for cell in cells(linear, "beta")] == [False, *[True] * 9]
    assert said(linear, "term")[:2] == ["Constant", "Network performance"]
    ordered = csat.table(driven["ordered"], names=study)
    coefficients = driven["ordered"].coefficients.estimate
    np.testing.assert_array_equal([cell.value for cell in cells(ordered, "odds")[:9]], np.exp(coefficients[:9]))
    assert not any(cell.applies for name in ("odds", "vif") for cell in cells(ordered, name)[9:])
    assert said(ordered, "term")[9:11] == ["Threshold 1|2", "Threshold 2|3"]
    assert "阈值 1|2" in said(csat.table(driven["ordered"], "zh", study), "term")
    assert "Log odds of a higher answer to overall satisfaction" in repr(ordered)


def test_categories_and_interactions_have_their_texts(driven, study):
    english = said(csat.table(driven["factors"], names=study), "term")
    assert english[5:7] == ["Brand: M-Zone", "Brand: Easyown"]
    assert english[7] == "Brand: M-Zone × Network performance"
    chinese = said(csat.table(driven["factors"], "zh", study, kind="terms"), "term")
    assert chinese[-2:] == ["品牌", "品牌 × 网络性能"]
    assert said(csat.table(driven["factors"]), "term")[5] == "brand=mzone", "without a questionnaire codes are names"
    assert Names("en", study).driver("P1: low") == "P1: low", "what is no term stays as it is"


def test_inflated_variance_is_explained_but_not_that_of_interactions(driven, study):
    inflated = replace(driven["regression"], vif=np.where(np.arange(10) == 3, 9.0, 2.0))
    table = csat.table(inflated, names=study)
    assert [bool(cell.note) for cell in cells(table, "vif")] == [place == 3 for place in range(10)]
    assert "nearly repeats other drivers" in repr(table)
    assert driven["factors"].vif[1:].max() > 5
    assert not [cell.note for cell in cells(csat.table(driven["factors"], names=study), "vif") if cell.note]


def test_small_groups_are_marked_and_hidden(driven, study):
    some = replace(driven["regression by"], n=np.array([124.0, 54.0, 12.0]))
    table = csat.table(some, names=study)
    estimates = cells(table, "estimate")
    assert all(cell.value is not None and cell.note is None for cell in estimates[:10])
    assert all(cell.value is None for cell in estimates[10:]), "one hidden group would follow from the others"
    texts = [table.say(note) for note in table.footnotes()]
    assert texts == [
        "Not shown: it would give away the one group that is too small to show.",
        "Fewer than 30 respondents: not shown.",
    ]
    marked = csat.table(driven["regression by"], "zh", study)
    assert [bool(cell.note) for cell in cells(marked, "estimate")] == [False] * 10 + [True] * 10 + [False] * 10
    assert csat.table(replace(driven["regression"], n=20), names=study).rows[0][1].value is None


def test_a_group_without_figures_says_why():
    rng = np.random.default_rng(5)
    data = pd.DataFrame(rng.normal(size=(240, 3)), columns=["a", "b", "y"]).assign(g=np.repeat(["x", "z"], 120))
    data.loc[data["g"] == "z", "b"] = data["a"]
    table = csat.table(csat.regress(csat.read_survey(data), "y", ["a", "b"], by="g"))
    assert [table.say(note) for note in table.footnotes()] == ["Drivers repeat each other exactly here."]
    assert [cell.value is None for cell in cells(table, "estimate")] == [False] * 3 + [True] * 3
    shares = csat.table(csat.importance(csat.read_survey(data), "y", ["a", "b"], by="g"), "zh")
    assert [cell.value is None for cell in cells(shares, "share")] == [False] * 2 + [True] * 2
    assert shares.say(cells(shares, "share")[3].note) == "驱动因素在此完全重复。"


@pytest.mark.parametrize(("se", "words"), [
    ("classical", "Classical standard errors"), ("HC1", "robust to unequal variance (HC1)"), ("design", "follow the"),
])  # fmt: skip
def test_the_table_says_where_standard_errors_come_from(own, study, se, words):
    assert words in repr(csat.table(csat.regress(own, "overall", ["P1", "P2"], se=se), names=study))


def test_kinds_that_need_something_else_say_what(driven):
    for kind in ("odds", "effects"):
        with pytest.raises(OptionError, match=f'kind="{kind}" needs a regression with family="logit"'):
            csat.table(driven["regression"], kind=kind)
    with pytest.raises(OptionError, match="Differences are between groups"):
        csat.table(driven["regression"], kind="differences")
    with pytest.raises(OptionError, match=r"not redone on replicates: csat\.stepwise\(…, replicates=1000\)"):
        csat.table(replace(driven["stepwise"], stability=None), kind="stability")


def test_a_selection_says_its_rule_its_end_and_its_caution(driven, study):
    text = repr(csat.table(driven["stepwise"], names=study))
    assert "A process enters at p ≤ 0.05" in text and "these p-values are optimistic" in text
    assert "of 60 replicates of the sample select exactly these" in text
    table = csat.table(driven["aic"], names=study)
    assert [column.name for column in table.columns][3:5] == ["statistic", "criterion"]
    text = repr(table)
    assert "as long as AIC falls" in text and "Backward" in text and "it does not know the design" in text
    assert "Always in the model: Product and service information." in text
    for ended, words in (("cycling", "came back to an earlier model"), ("exact", "determine the outcome")):
        assert words in repr(csat.table(replace(driven["stepwise"], ended=ended), names=study))
    assert "回到先前的模型" in repr(csat.table(replace(driven["stepwise"], ended="cycling"), "zh", study))
    assert "these p-values are optimistic" in repr(csat.table(driven["stepwise"], names=study, kind="final"))


def test_stability_is_ordered_and_says_how_often(driven, study):
    table = csat.table(driven["aic"], names=study, kind="stability")
    often = [cell.value for cell in cells(table, "frequency")]
    assert often == sorted(often, reverse=True)
    frame = driven["aic"].stability.columns.set_index("term")
    place = said(table, "term").index("Brand: M-Zone")
    assert cells(table, "estimate")[place].value == frame.loc["brand=mzone", "estimate"]
    assert said(table, "chosen")[often.index(1.0)] == "yes"
    assert "40 bootstrap replicates: drawn from the sampling units" in repr(table)
    models = csat.table(driven["stability"], "zh", study, kind="models")
    assert len(models.rows) == 10
    never = replace(driven["stepwise"].stability, failed=7)
    assert "Left out: 7 replicates" in repr(csat.table(never, names=study))


def test_subsets_name_the_criteria_that_prefer_a_model(driven, study):
    found = driven["subsets"]
    table = csat.table(found, names=study)
    preferring = dict(zip(found.table["terms"], said(table, "best"), strict=True))
    assert {terms for terms, words in preferring.items() if words} == set(found.best.values())
    assert "BIC" in preferring[found.best["bic"]]
    assert said(table, "terms")[0] == "(none)"


def test_importance_says_what_to_beware_of(driven, study):
    table = csat.table(driven["importance"], names=study)
    kinds = {note.kind for note in driven["importance"].notes}
    assert kinds == {"sign_flip", "noise"}
    places = said(table, "term")
    flipped = cells(table, "term")[places.index("Roaming within and between provinces")]
    assert table.say(flipped.note).startswith("Correlation with the outcome +0.31, coefficient beside the other")
    assert "−0.04" in table.say(flipped.note)
    vague = [place for place, cell in zip(places, cells(table, "estimate"), strict=True) if cell.note]
    assert vague == ["Service halls", "Product and service information"]
    np.testing.assert_allclose(sum(cell.value for cell in cells(table, "share")), 1)
    assert [cell.value for cell in cells(table, "rank")] == list(range(1, 10))


def test_notes_on_the_whole_and_on_pairs_are_said(own, study):
    few = own.where(city="lanzhou", brand="mzone")
    found = csat.importance(few, "overall", study.processes[:4], missing="pairwise")
    assert {note.kind for note in found.notes} >= {"few_cases", "small_base"}
    text = repr(csat.table(found, names=study))
    assert "Each covariance rests on those who answered both" in text
    assert "respondents for 4 columns of drivers" in text
    assert "Overall satisfaction: Answered by 26 respondents only." in text, "the outcome has no row of its own"


def test_several_notes_on_one_driver_share_a_footnote(driven, study):
    from csat.drivers.relative.notes import Note

    more = Note("collinear", "P2", (), {"vif": 12.0})
    found = replace(driven["importance"], notes=(*driven["importance"].notes, more))
    table = csat.table(found, "zh", study)
    notes = [table.say(cell.note) for cell in cells(table, "term") if cell.note]
    assert len(notes) == 1
    assert "重要性不代表作用方向。" in notes[0] and "方差膨胀因子 12.0" in notes[0]


def test_differences_put_the_more_important_first(driven, study):
    table = csat.table(driven["importance"], names=study, kind="differences")
    gaps = [cell.value for cell in cells(table, "estimate")]
    assert len(gaps) == 36 and min(gaps) >= 0 and gaps == sorted(gaps, reverse=True)
    assert min(cell.value for cell in cells(table, "p_greater")) >= 0.5
    plain = driven["importance"].differences(of="share").tidy().set_index(["term", "against"])
    names = {study.text(process.code, "en"): process.code for process in study.processes}
    for row in table.rows[:5]:
        first, second = names[row[0].value], names[row[1].value]
        pair = (first, second) if (first, second) in plain.index else (second, first)
        assert 100 * row[2].value == pytest.approx(abs(plain.loc[pair, "estimate"]))
        assert 100 * row[3].value <= 100 * row[2].value <= 100 * row[4].value
    groups = csat.table(driven["importance by"], "zh", study, kind="differences")
    assert "甘肃" in said(groups, "group")


def test_maps_say_where_the_quadrants_meet_and_how_sure_they_are(driven, study):
    found = driven["ipa"]
    table = csat.table(found, names=study)
    importance = [cell.value for cell in cells(table, "importance")]
    assert importance == sorted(importance, reverse=True)
    assert f"mean performance of the drivers, {found.cuts[0, 0]:.2f}, and their mean importance, 11.1%" in repr(table)
    zones = csat.table(found, names=study, kind="quadrants")
    np.testing.assert_allclose([sum(cell.value for cell in row[1:]) for row in zones.rows], 1)
    assert "ranks higher in importance than in performance" in repr(csat.table(driven["ipa by"], names=study))
    assert "performance 70.00 and importance 5.0%" in repr(csat.table(driven["ipa twenty"], names=study))
    assert "自述重要性" in repr(csat.table(driven["ipa stated"], "zh", study))
    promising = csat.table(found, names=study, kind="priorities")
    assert [cell.value for cell in cells(promising, "priority")] == [float(place) for place in range(1, 10)]
    assert "an association, not a promise" in repr(promising)


def test_small_groups_of_a_map_are_hidden(driven, study):
    found = driven["ipa by"]
    n = np.where(np.repeat(np.arange(4), 18) == 2, 11, found.estimates.n)
    hidden = csat.table(replace(found, estimates=replace(found.estimates, n=n)), names=study)
    assert sum(cell.value is None for cell in cells(hidden, "importance")) == 18, "and the next smallest with it"


def test_a_small_band_hides_its_side_only(driven, study):
    found = driven["asymmetry"]
    n = found.n.copy()
    n[0, 0] = 12
    table = csat.table(replace(found, n=n), names=study)
    row = said(table, "term").index("Network performance")
    assert cells(table, "penalty")[row].value is None and cells(table, "reward")[row].value is not None
    assert table.say(cells(table, "penalty")[row].note) == "Fewer than 30 respondents: not shown."
    assert said(table, "class")[row] == "unclear"
    assert table.say(cells(table, "class")[row].note) == "Too few respondents with low, high or middle answers."
    both = csat.table(replace(found, n=n), names=study, kind="differences")
    assert cells(both, "difference")[said(both, "term").index("Network performance")].value is None


def test_every_class_is_explained_and_wrong_directions_are_marked(driven, study):
    table = csat.table(driven["asymmetry"], names=study)
    assert "Basic: low answers disappoint" in repr(table) and "Excitement" not in repr(table)
    row = said(table, "term").index("Roaming within and between provinces")
    assert "points the wrong way" in table.say(cells(table, "class")[row].note)
    assert "Low answers: 1–6; high answers: 9–10" in repr(table)


def test_tests_are_said_in_words_with_what_follows(driven, study):
    table = csat.table(driven["diagnosis"], names=study)
    found = dict(zip(driven["diagnosis"].tests["test"], cells(table, "finding"), strict=True))
    assert table.say(found["breusch_pagan"].value) == "the variance differs"
    assert "use design-based or robust (HC3) errors" in table.say(found["breusch_pagan"].note)
    assert found["white"].note is None, "another test speaks against equal variance"
    assert "Straight lines are enough" in table.say(found["reset"].note)
    tests = driven["diagnosis"].tests
    turned = {"unequal_variance": "equal_variance", "not_normal": "normal", "form_fits": "form_misses"}
    other = replace(driven["diagnosis"], tests=tests.assign(kind=tests["kind"].replace(turned)))
    text = repr(csat.table(other, "zh", study))
    assert "经典标准误与设计标准误均可使用" in text and "线性形式不够" in text
    missing = tests.assign(kind="", p=np.nan, statistic=np.nan, note="this test is made for up to 5000 answers")
    said_of = csat.table(replace(driven["diagnosis"], tests=missing), names=study)
    assert "This test is made for up to 5000 answers." in repr(said_of)


def test_flagged_rows_are_the_most_influential_first(driven, study):
    table = csat.table(driven["diagnosis"], names=study, kind="flagged")
    assert said(table, "row") == [str(row) for row in driven["diagnosis"].flagged.index[:20]]
    assert "56 of 445 respondents are beyond a limit; the 20 with the largest Cook's D" in repr(table)
    assert "Cook's D above 4/n" in said(table, "limits")[0]


def test_chances_are_whole_and_never_surer_than_they_are():
    shown = [number(value, "chance") for value in (0, 0.0004, 0.1249, 0.9949, 0.9951, 1)]
    assert shown == ["0%", "<1%", "12%", "99%", ">99%", ">99%"]
    assert [signed(value) for value in (0.001, -0.04, 0.31)] == ["0.00", "−0.04", "+0.31"]


def test_kinds_of_the_documentation_exist():
    doc = csat.table.__doc__
    kinds = {kind for name in ("Regression", "Stepwise", "Ipa", "Asymmetry", "Diagnosis") for kind in TABLES[name]}
    assert not [kind for kind in kinds if f'"{kind}"' not in doc]
