"""A saved summary gives what the survey gives, without respondents; wrong files are refused in words."""

import os
import re
import shutil
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from numpy.testing import assert_allclose
from pyarrow import parquet

import csat
from csat.moments import Groups, Product, Recode, StoredError, cells_of, cells_table
from csat.moments import answers as answers_room
from csat.moments.stored import FORMAT
from csat.replicates import unit_of_row

STUDY = """
[study]
name = "halls"
outcome = "overall"
index = "all"
[scales.ten]
low = 1
high = 10
[scales.five]
low = 1
high = 5
conversion = "grade"
[items]
C1 = { scale = "ten" }
C2 = { scale = "ten" }
C3 = { scale = "ten" }
C4 = { scale = "ten" }
C5 = { scale = "ten" }
C6 = { scale = "five" }
overall = { scale = "ten" }
[processes]
P1 = { scale = "ten" }
P2 = { scale = "ten" }
P3 = { scale = "ten" }
[dimensions.all]
children = ["d1", "d2"]
[dimensions.d1]
children = ["C1", "C2", "C3"]
[dimensions.d2]
children = ["C4", "C5", "C6"]
[columns.brand]
kind = "category"
labels = { g = { en = "GoTone" }, m = { en = "M-Zone" } }
[columns.quarter]
kind = "category"
[columns.sex]
kind = "category"
[columns.id]
kind = "id"
[model]
syntax = "q =~ C1 + C2 + C3\\nl =~ C4 + C5 + C6\\nl ~ q"
"""
ITEMS = ["C1", "C2", "C3", "C4", "C5", "C6", "overall", "P1", "P2", "P3"]
DRIVERS = ["P1", "P2", "P3"]
UNITS = {"weight": "w", "stratum": "city", "psu": "hall"}
SETS = {"drivers": [*DRIVERS, "overall"], "one": ["C1", "C2", "C3"], "tree": ITEMS[:6], "pair": ["C1", "C2"]}


def answers(n=900, seed=3, missing=0.04):
    rng = np.random.default_rng(seed)
    common = rng.normal(0, 1, n)
    frame = pd.DataFrame({name: np.clip(np.round(7 + 1.2 * common + rng.normal(0, 1.2, n)), 1, 10) for name in ITEMS})
    frame["C6"] = np.clip(np.round(3 + common / 2 + rng.normal(0, 1, n)), 1, 5)
    frame = frame.mask(rng.random(frame.shape) < missing)
    frame["brand"], frame["quarter"] = rng.choice(["m", "g"], n), rng.choice(["2026Q1", "2026Q2"], n)
    frame["sex"] = rng.choice(["f", "m"], n)
    frame["w"] = rng.uniform(0.4, 2.5, n)
    frame["hall"] = rng.integers(0, 24, n).astype(str)
    frame["city"] = frame["hall"].map(lambda hall: f"city {int(hall) % 3}")
    return frame.assign(id=[f"r{i}" for i in range(n)])


@pytest.fixture(scope="module")
def asked(study):
    return study(STUDY)


def survey_of(frame, asked, **design):
    return csat.read_survey(frame, asked, design=csat.Design(**design))


def reread(summary, folder):
    summary.save(folder / "summary.parquet", allow_small=True)
    return csat.load_summary(folder / "summary.parquet")


@pytest.fixture(scope="module")
def survey(asked):
    return survey_of(answers(), asked, **UNITS)


@pytest.fixture(scope="module")
def summary(survey, tmp_path_factory):
    made = csat.summarise(survey, by=["brand", "quarter"], sets=SETS, levels=[*ITEMS, "sex"])
    return reread(made, tmp_path_factory.mktemp("summary"))


METHODS = {
    "index": lambda s: csat.index(s),
    "index by group": lambda s: csat.index(s, by=["quarter", "brand"]),
    "mean": lambda s: csat.mean(s, ["C1", "overall"], by="brand"),
    "mean of complete": lambda s: csat.mean(s, ["C2", "C1"], by="brand", rule="listwise"),
    "total": lambda s: csat.total(s, "C1", by="brand"),
    "ratio": lambda s: csat.ratio(s, "C1", "C2", by="quarter"),
    "sd": lambda s: csat.sd(s, ["C1", "C2"], by="brand"),
    "share": lambda s: csat.share(s, "C1", by="brand"),
    "share of a category": lambda s: csat.share(s, "sex", by="brand"),
    "box": lambda s: csat.box(s, ["C1", "C6"], by="brand"),
    "quantile": lambda s: csat.quantile(s, "C3", by="brand"),
    "interpolated quantile": lambda s: csat.quantile(s, "C3", rule="hf7"),
    "ranktest": lambda s: csat.ranktest(s, "C1", "brand"),
    "crosstab": lambda s: csat.crosstab(s, "brand", "C6"),
    "difference": lambda s: csat.difference(s, "C1", "brand"),
    "gaps": lambda s: csat.gaps(s, by="brand", against="m"),
    "expectation_gaps": lambda s: csat.expectation_gaps(s, {"C1": "C2"}, by="brand"),
    "trend": lambda s: csat.trend(s, "quarter", by="brand"),
    "split_change": lambda s: csat.split_change(s, "quarter", before="2026Q1", after="2026Q2", mix="brand"),
    "regress": lambda s: csat.regress(s, "overall", DRIVERS),
    "regress by group": lambda s: csat.regress(s, "overall", DRIVERS, by="brand"),
    "importance": lambda s: csat.importance(s, "overall", DRIVERS),
    "stepwise": lambda s: csat.stepwise(s, "overall", DRIVERS),
    "best_subsets": lambda s: csat.best_subsets(s, "overall", DRIVERS),
    "stability": lambda s: csat.stepwise(s, "overall", DRIVERS, replicates=60).stability,
    "ipa": lambda s: csat.ipa(s, "overall", DRIVERS),
    "sem": lambda s: csat.sem(s, "q =~ C1 + C2 + C3\nl =~ C4 + C5 + C6\nl ~ q"),
    "robust sem": lambda s: csat.sem(s, "q =~ C1 + C2 + C3\nl =~ C4 + C5 + C6\nl ~ q", estimator="MLR"),
    "bootstrapped sem": lambda s: csat.sem(
        s, "q =~ C1 + C2 + C3\nl =~ C4 + C5 + C6\nl ~ q", se="bootstrap", replicates=50
    ),
    "pls": lambda s: csat.pls(s, "q =~ C1 + C2 + C3\nl =~ C4 + C5 + C6\nl ~ q", by="brand", replicates=60),
    "reliability": lambda s: csat.reliability(s, {"q": ["C1", "C2", "C3"], "l": ["C4", "C5", "C6"]}),
    "efa": lambda s: csat.efa(s, ITEMS[:6], factors=2),
    "number_of_factors": lambda s: csat.number_of_factors(s, ITEMS[:6]),
    "evaluate": lambda s: csat.evaluate(s, by="brand"),
    "evaluate by shares": lambda s: csat.evaluate(s, membership="share", operator="min-max"),
    "factor_weights": lambda s: csat.factor_weights(s, ["C1", "C2", "C3"], method="cv"),
    "factor_weights by entropy": lambda s: csat.factor_weights(s, ["C1", "C2", "C3"], method="entropy"),
}
#: Effective sizes of combined items need products of single answers, of which only totals of units are kept.
WITHOUT = {"evaluate": {"n_eff"}, "evaluate by shares": {"n_eff"}}


def assert_same(one, other, without=frozenset()):
    for a, b in ((one.tidy(), other.tidy()), (one.glance(), other.glance())):
        assert list(a.columns) == list(b.columns)
        for name in a.columns:
            if name in without:
                continue
            if a[name].dtype.kind in "fiub":
                assert_allclose(b[name].to_numpy(float), a[name].to_numpy(float), rtol=1e-9, atol=1e-9, err_msg=name)
            else:
                assert list(map(str, a[name])) == list(map(str, b[name])), name


@pytest.mark.filterwarnings("ignore::csat.CsatWarning")
@pytest.mark.parametrize("name", METHODS)
def test_methods_agree_with_the_survey(survey, summary, name):
    assert_same(METHODS[name](survey), METHODS[name](summary), WITHOUT.get(name, frozenset()))


@pytest.mark.filterwarnings("ignore::csat.CsatWarning")
@pytest.mark.parametrize("weight", [None, "w"])
@pytest.mark.parametrize(
    "name", ["index", "mean", "share", "box", "quantile", "gaps", "trend", "crosstab", "ranktest", "importance", "sem"]
)
def test_respondents_as_units_agree_too(asked, tmp_path, weight, name):
    survey = survey_of(answers(400), asked, weight=weight, stratum="city")
    summary = reread(csat.summarise(survey, by=["brand", "quarter"], sets=SETS), tmp_path)
    one, other = METHODS[name](survey), METHODS[name](summary)
    if name == "importance":
        assert_allclose(other.tidy()["estimate"], one.tidy()["estimate"], rtol=1e-9)
        assert set(other.tidy()["note"]) == {"this source is a summary without rows"}
    else:
        assert_same(one, other)


def test_memberships_of_respondents_keep_their_joint_errors(asked, tmp_path):
    survey = survey_of(answers(400), asked, weight="w")
    summary = reread(csat.summarise(survey), tmp_path)
    boxes = [csat.box(source, ["C1", "C2"]) for source in (survey, summary)]
    assert abs(boxes[0].vcov[0, 1]) > 1e-6
    assert_allclose(boxes[1].vcov, boxes[0].vcov, rtol=1e-9)
    assert_allclose(boxes[1].n_eff, boxes[0].n_eff, rtol=1e-9)


@pytest.mark.parametrize("kind", ["given", "made", "two stages"])
def test_other_designs_agree(asked, tmp_path, kind):
    frame = answers(500)
    rng = np.random.default_rng(1)
    if kind == "given":
        frame[[f"r{i}" for i in range(12)]] = frame[["w"]].to_numpy() * rng.uniform(0.5, 1.5, (500, 12))
        given = csat.Replication("bootstrap", combined=True)
        design = {"weight": "w", "replicates": [f"r{i}" for i in range(12)], "replication": given}
    elif kind == "made":
        design = UNITS | {"replication": csat.Replication("JKn")}
    else:
        frame["halls"], frame["people"] = 60, 900
        design = UNITS | {"fpc": "halls", "fpc2": "people"}
    survey = survey_of(frame, asked, **design)
    summary = reread(csat.summarise(survey, by="brand", sets=SETS), tmp_path)
    for name in ("index", "mean", "share", "quantile", *(() if kind == "two stages" else ("regress",))):
        assert_same(METHODS[name](survey), METHODS[name](summary))


def test_calibrated_weights_keep_their_residuals(asked, tmp_path):
    plain = survey_of(answers(600), asked, stratum="city", psu="hall")
    survey = csat.calibrate(plain, {"sex": {"f": 0.6, "m": 0.4}}, total=600)
    summary = reread(csat.summarise(survey, by="brand"), tmp_path)
    assert_same(csat.index(survey, by="brand"), csat.index(summary, by="brand"))
    assert "calibrated" in csat.index(summary, by="brand").estimates.provenance.variance
    assert "taken as given" in csat.share(summary, "C1").provenance.variance


def test_level_counts_are_exact(survey, summary):
    for by in ((), ("brand",), ("quarter", "brand")):
        one, other = (source.levels([*ITEMS, "sex"], by) for source in (survey, summary))
        assert (one.names, one.levels, one.domains) == (other.names, other.levels, other.domains)
        assert all(np.array_equal(a, b) for a, b in zip(one.unweighted, other.unweighted, strict=True))
        assert np.array_equal(one.missing, other.missing)
        for a, b in zip(one.weighted, other.weighted, strict=True):
            assert_allclose(b, a, rtol=1e-12)


def test_a_recode_that_leaves_answers_out(survey, summary):
    few = Recode("few", "C1", {5.0: 0.0, 6.0: 1.0, 7.0: 3.0})
    for rule in ("available", "listwise"):
        assert_same(csat.mean(survey, few, by="brand", rule=rule), csat.mean(summary, few, by="brand", rule=rule))


@pytest.mark.parametrize("design", [UNITS, {"weight": "w"}])
def test_recoded_items_beside_plain_ones(asked, design):
    survey = survey_of(answers(300), asked, **design)
    summary = csat.summarise(survey, by="brand", levels=["C1", "C2", "sex"])
    few = Recode("few", "C1", {float(answer): float(answer > 8) for answer in range(1, 11)})
    one, other = (csat.mean(source, [few, "C2", "C1"], by="brand") for source in (survey, summary))
    assert_same(one, other)
    assert_allclose(other.vcov, one.vcov, rtol=1e-9, atol=1e-15)
    with pytest.raises(csat.CsatError, match="'sex' holds categories such as 'f', 'm', not numbers"):
        csat.mean(summary, [few, "sex"])
    with pytest.raises(csat.CsatError, match="The product 'both' needs the respondents' rows"):
        csat.mean(summary, Product("both", ("C1", few)))
    with pytest.raises(
        csat.CsatError, match="Single answers to 'C3' need the rows; the summary counts those to 'C1', 'C2'"
    ):
        csat.mean(summary, [few, Recode("three", "C3", {1.0: 1.0})])


def test_joint_sums_that_would_not_fit_are_refused(asked, monkeypatch):
    monkeypatch.setattr(answers_room, "MOST_BYTES", 10**5)
    with pytest.raises(csat.CsatError, match=r"95 answers to 10 items in 1 cells take .* GB.*units=500"):
        csat.summarise(survey_of(answers(100), asked))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"items": []}, "items: no variable is named"),
        ({"units": 1}, "2 or more; found int 1"),
        ({"sets": ["C1"]}, "sets: names and what belongs to each"),
        ({"sets": {"x": {"outcome": "C1"}}}, "a regression is {'outcome': …, 'drivers': […]}"),
        ({"sets": {"x": []}}, "No variable is named"),
        ({"sets": {5: ["C1"]}}, "sets: the name of a column is needed; found int 5"),
        ({"by": "shop"}, "No column 'shop'"),
        ({"levels": ["shop"]}, "No column 'shop'"),
    ],
)
def test_options_that_make_no_sense(survey, options, message):
    with pytest.raises(csat.CsatError, match=re.escape(message)):
        csat.summarise(survey, **options)


def test_the_questionnaire_and_the_design_come_back(survey, summary, asked):
    assert summary.questionnaire == asked
    assert summary.design == survey.design
    assert summary.columns == (*ITEMS, "sex", "brand", "quarter")
    assert len(summary) == len(survey)
    assert summary.categories("brand") == ("g", "m")
    assert "900 in" in repr(summary)
    assert "<caption>Summary" in summary._repr_html_()


@pytest.mark.filterwarnings("ignore::csat.CsatWarning")
def test_factors_and_interactions_are_sets_too(survey, tmp_path):
    wanted = {"outcome": "overall", "drivers": ["P1", "P2", csat.Factor("sex"), "P1:P2"]}
    summary = reread(csat.summarise(survey, sets={"driver model": wanted, "sem": csat.Model("C2 ~ C1")}), tmp_path)
    assert_same(*(csat.regress(source, **wanted) for source in (survey, summary)))
    assert_same(*(csat.sem(source, "C2 ~ C1") for source in (survey, summary)))


def test_the_usual_sets_are_those_of_the_study(survey):
    summary = csat.summarise(survey)
    assert {name: set(part.names) for name, part in summary.sets.items()} == {
        "index": set(ITEMS[:6]), "drivers": {*DRIVERS, "overall"}, "model": set(ITEMS[:6]),
    }  # fmt: skip


def test_without_a_questionnaire_numbers_are_items():
    rng = np.random.default_rng(2)
    frame = pd.DataFrame({"a": rng.integers(1, 6, 300), "b": rng.normal(size=300), "w": 1.0, "g": list("xyz") * 100})
    survey = csat.read_survey(frame, design=csat.Design(weight="w"))
    summary = csat.summarise(survey, by="g", sets={"both": ["a", "b"]})
    assert summary.numbers == ("a", "b")
    assert summary.answers.names == ("a",)
    assert_same(csat.share(survey, "a", by="g", values=["1"]), csat.share(summary, "a", by="g", values=["1"]))


# What a summary cannot tell


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda s: csat.index(s, by="sex"), r"grouped by 'brand', 'quarter', not by 'sex': that needs the rows.*by="),
        (lambda s: csat.mean(s, "C9"), "No column 'C9' in this summary"),
        (lambda s: csat.regress(s, "C4", ["C5", "P1"]), "Complete answers to 'C5', 'P1', 'C4' together need.*sets="),
        (lambda s: csat.nps(s, "sex"), "sex"),
        (lambda s: csat.quantile(s, "brand"), "Single answers to 'brand' need the rows.*levels="),
        (lambda s: csat.regress(s, "overall", ["P1", "P1:P2"]), "P1:P2"),
        (lambda s: csat.diagnose(s, "overall", DRIVERS), "needs the respondents' rows"),
        (lambda s: csat.polychoric(s, ["C1", "C2"]), "needs the respondents' rows"),
        (lambda s: csat.sem(s, "C2 ~ C1", missing="fiml"), "rows"),
        (lambda s: csat.summarise(s), "Summary is a summary already"),
        (lambda s: s.groups([], ()), "No variable is named"),
        (lambda s: s.groups(["C1"], (), "all"), "rule='all'"),
    ],
)  # fmt: skip
def test_what_needs_rows_says_so(summary, call, message):
    with pytest.raises(csat.CsatError, match=message):
        call(summary)


def test_part_of_a_set_serves_only_where_nobody_else_answered_it(asked):
    frame = answers(400, missing=0)
    frame.loc[:9, "C1"] = np.nan
    summary = csat.summarise(survey_of(frame, asked, **UNITS), sets={"three": ["C1", "C2", "C3"]})
    found = summary.groups(["C1", "C2"], (), "listwise")
    assert int(found.n.sum()) == 390
    assert int(summary.groups(["C2", "C3"], (), "listwise").n.sum()) == 400
    frame.loc[10:19, "C3"] = np.nan
    other = csat.summarise(survey_of(frame, asked, **UNITS), sets={"three": ["C1", "C2", "C3"]})
    with pytest.raises(csat.CsatError, match="Complete answers to 'C1', 'C2' together need the rows"):
        other.groups(["C1", "C2"], (), "listwise")


# Files


def test_small_bases_are_refused_unless_allowed(survey, tmp_path):
    summary = csat.summarise(survey, by="brand")
    with pytest.raises(csat.CsatError) as error:
        summary.save(tmp_path / "s.parquet")
    for words in (
        "of 48 cells",
        "fewer than 30 respondents",
        "brand='g', stratum 'city",
        "units=20",
        "allow_small=True",
    ):
        assert words in str(error.value)
    assert not list(tmp_path.iterdir())
    summary.save(tmp_path / "s.parquet", allow_small=True)
    few = csat.summarise(survey, units=2)
    assert few.everyone.n.min() >= 30
    few.save(tmp_path / "s.parquet")
    assert_allclose(csat.index(few).estimates.estimate, csat.index(summary).estimates.estimate, rtol=1e-12)
    with pytest.raises(csat.CsatError, match="fewer than 4000 respondents"):
        few.save(tmp_path / "s.parquet", bases=csat.Bases(4000, 4000))


@pytest.mark.filterwarnings("ignore::csat.CsatWarning")
@pytest.mark.parametrize("name", ["index", "share", "regress", "robust sem", "reliability", "evaluate"])
def test_respondents_in_random_groups_have_all_standard_errors(asked, tmp_path, name):
    frame = answers(600)
    summary = reread(csat.summarise(survey_of(frame, asked, weight="w"), by="brand", sets=SETS, units=40), tmp_path)
    assert summary.design.psu == "random group"
    group = [f"{number % 40:02d}" for number in unit_of_row(pa.array(frame["id"]))]
    survey = survey_of(frame.assign(group=group), asked, weight="w", psu="group")
    assert_same(METHODS[name](survey), METHODS[name](summary), WITHOUT.get(name, frozenset()))


@pytest.mark.parametrize("design", [UNITS, {"weight": "w"}])
def test_streams_are_summarised_alike(asked, tmp_path, design):
    frame = answers(500)
    frame.to_parquet(tmp_path / "answers.parquet")
    stream = csat.read_survey(tmp_path / "answers.parquet", asked, design=csat.Design(**design), stream=True)
    one, other = (csat.summarise(source, by="brand", units=6) for source in (survey_of(frame, asked, **design), stream))
    assert one.design == other.design
    assert one.everyone.psus == other.everyone.psus
    for name in ("index", "share", "regress"):
        assert_same(METHODS[name](one), METHODS[name](other))


def test_random_groups_of_days_are_those_of_the_whole(asked):
    frame = answers(600)
    whole, *days = (csat.summarise(survey_of(part, asked), units=30) for part in (frame, frame[:250], frame[250:]))
    both = days[0] + days[1]
    assert both.everyone.psus == whole.everyone.psus
    for name in ("share", "sem", "efa"):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", csat.CsatWarning)
            method = METHODS[name] if name != "share" else lambda s: csat.share(s, "C1")
            assert_same(method(whole), method(both))


def test_random_groups_need_ids(asked, survey):
    plain = csat.read_survey(answers(100).drop(columns="id"))
    with pytest.raises(csat.CsatError, match="the questionnaire needs a column of kind 'id'"):
        csat.summarise(plain, units=20)
    with pytest.raises(csat.CsatError, match="units adds a column 'random group', but the data have one"):
        csat.summarise(csat.read_survey(answers(100).assign(**{"random group": "x"}), asked), units=20)


def test_joined_units_do_not_depend_on_the_others(asked):
    frame = answers(400)
    whole, part = (csat.summarise(survey_of(f, asked, **UNITS), units=3).everyone for f in (frame, frame[:50]))
    assert set(part.psus) <= set(whole.psus)
    assert len(whole.psus) == 9
    joined = csat.summarise(survey_of(frame, asked, **UNITS), by="hall", units=3)
    assert int(joined.everyone.n.sum()) == 400
    assert len(joined.everyone.n) == 24


def test_an_item_that_few_answered_is_a_small_base(asked, tmp_path):
    frame = answers(200, missing=0)
    frame.loc[5:, "C1"] = np.nan
    with pytest.raises(csat.CsatError, match=r"1 of 1 cells rest for 'C1' on fewer than 30 respondents: all \(5\)"):
        csat.summarise(survey_of(frame, asked)).save(tmp_path / "s.parquet")


@pytest.fixture(scope="module")
def saved(tmp_path_factory, asked):
    path = tmp_path_factory.mktemp("saved") / "s.parquet"
    csat.summarise(survey_of(answers(60), asked), items=["C1"], levels=[], sets={}).save(path)
    return path


def test_any_changed_byte_is_found(saved, tmp_path):
    body, path = saved.read_bytes(), tmp_path / "changed.parquet"
    for at in range(0, len(body), 11):
        changed = bytearray(body)
        changed[at] ^= 0x21
        path.write_bytes(changed)
        with pytest.raises(StoredError):
            csat.load_summary(path)


@pytest.mark.parametrize("part", [0.0, 0.001, 0.3, 0.999])
def test_a_file_that_is_cut_off(saved, tmp_path, part):
    body, path = saved.read_bytes(), tmp_path / "cut.parquet"
    path.write_bytes(body[: int(part * len(body))])
    with pytest.raises(StoredError, match=r"is cut off after|is no summary of csat"):
        csat.load_summary(path)


def test_a_newer_format_is_told_from_a_damaged_file(saved, tmp_path):
    path = tmp_path / "newer.parquet"
    path.write_bytes(saved.read_bytes().replace(f"format={FORMAT:04d}".encode(), b"format=0099"))
    with pytest.raises(StoredError, match=r"format 99 of a newer csat.*reads up to format 1. Update csat"):
        csat.load_summary(path)
    path.write_bytes(saved.read_bytes().replace(b"csat.version", b"csat.Version"))
    with pytest.raises(StoredError, match="is not as it was written: its checksum does not fit"):
        csat.load_summary(path)


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (lambda path: answers(5).to_parquet(path), "a Parquet file, but no summary of csat.*csat.read_survey"),
        (lambda path: answers(5).to_csv(path), "is no summary of csat. Summaries are written by"),
        (lambda path: path.write_bytes(b""), r"is no summary of csat \(it is empty\)"),
        (lambda path: path.mkdir(), "is a folder"),
        (lambda path: None, "No file"),
    ],
)
def test_files_of_others(tmp_path, write, message):
    path = tmp_path / "other.parquet"
    write(path)
    with pytest.raises(csat.CsatError, match=message):
        csat.load_summary(path)


def test_other_software_reads_the_table(saved):
    table = parquet.read_table(saved)
    assert {"part", "kind", "stratum", "psu", "n", "gram"} <= set(table.column_names)
    assert parquet.read_metadata(saved).metadata[b"csat.version"] == csat.__version__.encode()


@pytest.mark.parametrize("stream", [None, True])
def test_a_summary_is_not_taken_for_answers(saved, stream):
    with pytest.raises(
        csat.CsatError, match=r"s.parquet: this is a saved summary, which has no respondents. csat.load_"
    ):
        csat.read_survey(saved, stream=stream)


def test_a_file_appears_complete_or_not_at_all(summary, tmp_path, monkeypatch):
    path = tmp_path / "s.parquet"
    summary.save(path, allow_small=True)
    before = path.read_bytes()

    def interrupted(descriptor):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        summary.rolled("brand", {"g": "all", "m": "all"}).save(path, allow_small=True)
    assert path.read_bytes() == before
    assert [found.name for found in tmp_path.iterdir()] == ["s.parquet"]


@pytest.mark.parametrize(
    ("path", "message"),
    [("no/such/folder/s.parquet", "cannot be written"), (5, "is no path"), ("", "cannot be written")],
)
def test_places_where_nothing_can_be_written(summary, path, message):
    with pytest.raises(csat.CsatError, match=message):
        summary.save(path, allow_small=True)


def test_the_same_summary_is_the_same_file(summary, tmp_path):
    for name in ("a", "b"):
        csat.load_summary(_saved(summary, tmp_path / "c")).save(tmp_path / name, allow_small=True)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes() == (tmp_path / "c").read_bytes()


def _saved(summary, path):
    summary.save(path, allow_small=True)
    return path


# Moments of one set


def assert_same_cells(one, other):
    assert (one.names, one.by, one.domains, one.strata, one.psus) == (
        other.names, other.by, other.domains, other.strata, other.psus,
    )  # fmt: skip
    assert one.variables == other.variables
    for field in ("units", "population", "domain", "stratum", "psu", "n", "counts", "midpoint"):
        assert np.array_equal(getattr(one, field), getattr(other, field), equal_nan=True), field
    assert_allclose(other.gram, one.gram, rtol=1e-12, atol=1e-9)
    assert (one.square is None) == (other.square is None)
    assert (one.ungrouped, one.incomplete, one.lone_psu) == (other.ungrouped, other.incomplete, other.lone_psu)


@pytest.mark.parametrize("rule", ["available", "listwise"])
@pytest.mark.parametrize("design", [{}, {"weight": "w"}, UNITS])
def test_cells_travel_as_rows(asked, design, rule):
    few = Recode("few", "C1", {float(answer): float(answer > 8) for answer in range(1, 11)})
    groups = survey_of(answers(300), asked, **design).groups(["C2", few, Product("both", ("C2", few))], ["brand"], rule)
    table = cells_table(groups)
    assert_same_cells(groups, cells_of(table, Groups))
    both = pa.concat_tables([cells_table(groups, "one"), cells_table(groups.groups(["C2"], (), rule), "two")])
    assert cells_of(both, Groups, "two").names == ("C2",)
    with pytest.raises(StoredError, match="0 summaries named 'three'"):
        cells_of(both, Groups, "three")


def test_moments_of_one_set_have_files_too(survey, saved, tmp_path):
    groups = survey.groups(["C1", "C2"], ["brand"])
    groups.save(tmp_path / "g.parquet", allow_small=True)
    assert_same_cells(groups, Groups.load(tmp_path / "g.parquet"))
    everywhere = groups.rolled("brand", {"g": "all", "m": "all"})
    assert_allclose(everywhere.moments(("all",)).mean, groups.moments().mean, rtol=1e-12)
    with pytest.raises(csat.CsatError, match="fewer than 30 respondents"):
        groups.save(tmp_path / "g.parquet")
    with pytest.raises(StoredError, match=r"summary of several parts: read it with csat.load_summary"):
        Groups.load(saved)
    with pytest.raises(StoredError, match=r"read it with csat.Groups.load"):
        csat.load_summary(tmp_path / "g.parquet")


def test_published_figures_are_no_small_base(tmp_path):
    printed = csat.from_covariance([[1.0, 0.5], [0.5, 1.0]], n=20, names=["a", "b"])
    printed.save(tmp_path / "p.parquet")
    again = Groups.load(tmp_path / "p.parquet")
    assert again.published
    assert np.isnan(again.midpoint).all()
    assert_same_cells(printed, again)


# The organisation


def test_halls_roll_up_to_cities_and_provinces(asked):
    frame = answers(900)
    frame["province"] = frame["city"].map({"city 0": "Gansu", "city 1": "Gansu", "city 2": "Shaanxi"})
    survey = survey_of(frame, asked, **UNITS)
    halls = csat.summarise(survey, by=["hall", "brand"], sets=SETS)
    tree = frame[["hall", "city", "province"]].drop_duplicates()
    cities = halls.rolled("hall", tree, into="city")
    provinces = cities.rolled("city", tree[["city", "province"]], into="province")
    for summary, level in ((cities, "city"), (provinces, "province")):
        assert summary.by == (level, "brand")
        for method in (lambda s, level=level: csat.index(s, by=level),
                       lambda s, level=level: csat.share(s, "C1", by=[level, "brand"]),
                       lambda s, level=level: csat.regress(s, "overall", DRIVERS, by=level)):  # fmt: skip
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", csat.CsatWarning)
                assert_same(method(survey), method(summary))


def test_second_stages_roll_up_too(asked):
    frame = answers(500).assign(halls=60, people=900)
    survey = survey_of(frame, asked, **UNITS, fpc="halls", fpc2="people")
    cities = csat.summarise(survey, by="hall").rolled("hall", frame[["hall", "city"]], into="city")
    for method in (csat.mean, csat.share):
        assert_same(method(survey, "C1", by="city"), method(cities, "C1", by="city"))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"column": "shop"}, "grouped by 'brand', 'quarter'"),
        ({"column": 5}, "the name of a column is needed"),
        ({"column": "brand", "parents": {"g": "all"}}, "1 of the groups of 'brand' have no parent: 'm'"),
        ({"column": "brand", "parents": 7}, "a map of label → label above, or a table, is needed; found int 7"),
        ({"column": "brand", "into": "quarter"}, "grouped by that column already"),
        ({"column": "brand", "into": "n"}, "has the name of a result's column"),
        ({"column": "brand", "parents": pd.DataFrame({"brand": ["g"]})}, "a table needs the column 'brand' and"),
        (
            {"column": "brand", "into": "x", "parents": pd.DataFrame({"brand": ["g", "g"], "x": ["a", "b"]})},
            "'g' belongs to 'b' and to 'a'; it can have one parent",
        ),
    ],
)
def test_organisations_that_do_not_fit(summary, options, message):
    with pytest.raises(csat.CsatError, match=message):
        summary.rolled(**({"parents": {"g": "all", "m": "all"}} | options))


# Day by day


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"by": "brand"}, "by"),
        ({"sets": {"x": ["C1", "C2"]}}, "sets"),
        ({"items": ["C1"]}, "items"),
        ({"levels": ["C1"]}, "levels"),
    ],
)
def test_summaries_of_different_things_do_not_add(survey, summary, change, what):
    usual = {"by": ["brand", "quarter"], "sets": SETS, "levels": [*ITEMS, "sex"]}
    with pytest.raises(csat.CsatError, match=f"these differ in .*{what}"):
        summary + csat.summarise(survey, **(usual | change))


def test_a_category_that_comes_later(asked):
    frame = answers(500)
    frame.loc[400:, "sex"] = "x"
    days = [survey_of(part, asked, **UNITS) for part in (frame[:400], frame[400:])]
    both = csat.summarise(days[0], levels=["sex", "C1"]) + csat.summarise(days[1], levels=["sex", "C1"])
    whole = csat.summarise(survey_of(frame, asked, **UNITS), levels=["sex", "C1"])
    assert both.answers.levels == whole.answers.levels
    assert_same(csat.share(whole, "sex"), csat.share(both, "sex"))
    plain = [csat.summarise(survey_of(part, asked), levels=["sex", "C1"]) for part in (frame[:400], frame[400:], frame)]
    assert_same(csat.share(plain[2], "sex"), csat.share(plain[0] + plain[1], "sex"))


def test_the_page_is_run_as_it_stands(tmp_path, monkeypatch):
    root = Path(__file__).parents[1]
    shutil.copytree(root / "data" / "sample", tmp_path / "data" / "sample")
    page = (root / "docs" / "scale.md").read_text(encoding="utf-8").split("## Saved summaries")[1].split("\n## ")[0]
    monkeypatch.chdir(tmp_path)
    names: dict = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", csat.CsatWarning)
        exec("\n".join(re.findall(r"```python\n(.*?)```", page, re.DOTALL)), names)  # noqa: S102
    assert_same(csat.index(names["summary"], by="branch"), csat.index(names["again"], by="branch"))
    whole = csat.summarise(names["s"].where(quarter=["2026Q1", "2026Q2"]), by=["hall", "quarter"], levels=["overall"])
    assert_same(csat.index(whole), csat.index(names["half"]))
    assert names["cities"].by == ("city", "quarter")
