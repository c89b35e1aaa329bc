"""`compare`: one model by several estimators side by side; each column is its own result's."""

import json
import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

import csat
from csat.agreement import DisagreementError
from csat.errors import OptionError

MODEL = """
IMAG =~ IMAG1 + IMAG2 + IMAG3 + IMAG4 + IMAG5
SAT =~ CUSA1 + CUSA2 + CUSA3
LOY =~ CUSL1 + CUSL2 + CUSL3
SAT ~ IMAG
LOY ~ IMAG + SAT
"""


@pytest.fixture(autouse=True)
def quiet():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", csat.CsatWarning)
        yield


@pytest.fixture(scope="module")
def mobi(fixtures):
    """Covariances of 250 customers of a mobile phone provider (ECSI)."""
    found = json.loads((fixtures / "pls" / "moments.json").read_text(encoding="utf-8"))
    part = found["all"]
    return csat.from_covariance(np.array(part["cov"]), part["n"], part["mean"], names=found["names"])


@pytest.fixture(scope="module")
def survey():
    rng = np.random.default_rng(11)
    common = rng.normal(size=(300, 1))
    frame = {name: common[:, 0] + rng.normal(size=300) for name in ("a", "b", "c")}
    data = pd.DataFrame(frame)
    data["y"] = 0.5 * data["a"] - 0.4 * data["b"] + rng.normal(size=300)
    data["z"] = 0.6 * common[:, 0] + rng.normal(size=300)
    return csat.read_survey(data.assign(brand=["u", "v", "w"] * 100), design=csat.Design())


def kind(found, name):
    frame = found.tidy()
    return frame[frame["kind"] == name]


def test_consistent_composites_estimate_what_structural_models_do(mobi):
    """What remains without the correction is attenuation (Dijkstra & Henseler 2015)."""
    plain, fixed = csat.pls(mobi, MODEL), csat.pls(mobi, MODEL, consistent=True)
    found = csat.compare(csat.sem(mobi, MODEL), fixed, plain)
    assert [column.name for column in found.columns] == ["SEM", "PLSc", "PLS"]
    assert set(found.tidy()["kind"]) == {"path", "loading", "r2"}
    assert len(kind(found, "path")) == 3 and len(kind(found, "loading")) == 11 and len(kind(found, "r2")) == 2
    sem_path = kind(found, "path")["estimate_SEM"].iloc[0]
    corrected, attenuated = found.tidy()[["difference_PLSc", "difference_PLS"]].iloc[0].abs()
    assert found.tidy()["lhs"].iloc[0] == "SAT"
    assert corrected < 0.05 < attenuated < sem_path
    assert (kind(found, "r2")["difference_PLS"] < -0.1).all()
    assert kind(found, "r2")["difference_PLSc"].abs().max() < 0.1
    assert (kind(found, "loading")["difference_PLS"].mean()) > 0.05
    summary = found.glance().set_index("result")
    assert summary.loc["PLSc", "furthest_path"] < summary.loc["PLS", "furthest_path"]
    assert np.isnan(summary.loc["SEM", "furthest_path"])
    assert summary["n"].tolist() == [250] * 3


def test_every_column_is_its_own_results(mobi):
    pls, sem = csat.pls(mobi, MODEL), csat.sem(mobi, MODEL)
    frame = csat.compare(pls, sem).tidy().set_index(["kind", "lhs", "rhs"])
    own = pls.tidy().set_index(["kind", "lhs", "rhs"])
    theirs = sem.standardized("all")
    theirs = theirs[theirs["op"].isin(["~", "=~"])]
    both = frame.join(own["estimate"], how="inner")
    assert len(both) == 14
    assert_allclose(both["estimate_PLS"], both["estimate"], rtol=0)
    for row in theirs.itertuples():
        figures = frame.loc["path" if row.op == "~" else "loading", row.lhs, row.rhs]
        columns = ["estimate_SEM", "se_SEM", "low_SEM", "high_SEM"]
        assert figures[columns].tolist() == [row.estimate, row.se, row.low, row.high]
    shares = sem.r2.set_index("term")["r2"]
    r2 = frame.loc["r2"].reset_index().set_index("lhs")
    assert_allclose(r2["estimate_SEM"], shares[r2.index], rtol=1e-10)
    assert (r2["low_SEM"] < r2["estimate_SEM"]).all() and (r2["estimate_SEM"] < r2["high_SEM"]).all()
    assert_allclose(frame["difference_SEM"], frame["estimate_SEM"] - frame["estimate_PLS"])
    assert frame["se_PLS"].isna().all()


def test_the_error_of_r2_is_that_of_a_regression(survey):
    """For normal variables se(R²) = 2 R (1 − R²) / √n (Olkin & Finn 1995)."""
    found = kind(csat.compare(csat.sem(survey, "y ~ a + b"), csat.pls(survey, "y ~ a + b")), "r2").iloc[0]
    r2 = csat.regress(survey, "y", ["a", "b"]).r2
    assert_allclose([found["estimate_SEM"], found["estimate_PLS"]], r2, rtol=1e-6)
    free = csat.sem(survey, "y ~ a + b", fixed_x=False)
    error = kind(csat.compare(free, csat.pls(survey, "y ~ a + b")), "r2")["se_SEM"].iloc[0]
    assert_allclose(error, 2 * np.sqrt(r2) * (1 - r2) / np.sqrt(300), rtol=1e-4)


def test_single_items_are_a_regression_in_both(survey):
    found = csat.compare(csat.pls(survey, "y ~ a + b"), csat.sem(survey, "y ~ a + b"))
    paths = kind(found, "path")
    assert_allclose(paths["estimate_PLS"], csat.regress(survey, "y", ["a", "b"]).tidy()["beta"].iloc[-2:], rtol=1e-6)
    assert_allclose(paths["difference_SEM"], 0, atol=1e-6)
    assert_allclose(paths["se_PLS"], paths["se_SEM"], rtol=0.25)
    assert set(found.tidy()["kind"]) == {"path", "r2"}


def test_composed_constructs_are_compared_by_their_weights(survey):
    model = "f <~ a + b\ny ~ f"
    found = csat.compare(csat.pls(survey, model), csat.pls(survey, model, scheme="factorial"))
    assert set(found.tidy()["kind"]) == {"path", "loading", "weight", "r2"}
    assert [column.name for column in found.columns] == ["PLS 1", "PLS 2"]
    formed = csat.compare(csat.pls(survey, model), csat.sem(survey, "f <~ 1*a + b\ny ~ f"))
    assert formed.tidy()["kind"].tolist() == ["path", "weight", "weight", "r2"]
    assert_allclose(formed.differences, 0, atol=1e-6)


def test_groups_stand_under_one_another(survey):
    model = "f =~ a + b + c\nz ~ f"
    pls = csat.pls(survey, model, by="brand")
    sem = csat.sem(survey, model, group="brand")
    found = csat.compare(pls, sem, names=["composites", "factors"])
    frame = found.tidy()
    assert frame["group"].unique().tolist() == ["u", "v", "w"]
    own = pls.tidy().query("brand == 'v' and kind == 'path'")["estimate"].iloc[0]
    assert frame.query("group == 'v' and kind == 'path'")["estimate_composites"].tolist() == [own]
    theirs = sem.standardized("all").query("group == 'w' and op == '~'")["estimate"].iloc[0]
    assert frame.query("group == 'w' and kind == 'path'")["estimate_factors"].tolist() == [theirs]
    back = csat.compare(sem, pls).tidy()
    assert_allclose(back["difference_PLS"].sum(), -frame["difference_factors"].sum())


def test_a_construct_that_points_the_other_way_is_named(survey):
    """A negative first loading turns a factor by its marker; a composite follows most of its items."""
    data = survey.frame().reset_index(drop=True)
    turned = csat.read_survey(data.assign(a=-data["a"]), design=csat.Design())
    model = "f =~ a + b + c\nz ~ f"
    found = csat.compare(csat.pls(turned, model), csat.sem(turned, model))
    assert found.notes == ("f points the other way in SEM: signs of its loadings and paths are turned.",)
    assert "f points the other way" in repr(found)
    assert csat.compare(csat.pls(survey, model), csat.sem(survey, model)).notes == ()


def test_what_cannot_stand_side_by_side_is_refused_in_words(survey):
    pls, sem = csat.pls(survey, "y ~ a + b"), csat.sem(survey, "y ~ a")
    for results, error, words in (
        ((pls, sem), DisagreementError, "only one of the models has y ~ b.*csat.compare_models"),
        ((pls,), OptionError, "two or more results"),
        ((), OptionError, "two or more results"),
        ((pls, "sem"), OptionError, "takes results of csat.pls and csat.sem; found"),
        ((pls, csat.sem(survey, "y ~ a + b", level=0.9)), DisagreementError, "0.95 and 0.9. Use the same level="),
        (
            (pls, csat.sem(survey, "y ~ a + b", group="brand")),
            DisagreementError,
            r"no groups and 'u', 'v', 'w'. Name the same column, pls\(…, by=…\) and sem\(…, group=…\)",
        ),
    ):
        with pytest.raises(error, match=words):
            csat.compare(*results)
    with pytest.raises(DisagreementError, match="only one of the models has c of f"):
        csat.compare(csat.sem(survey, "f =~ a + b + c\nz ~ f"), csat.pls(survey, "f =~ a + b\nz ~ f"))
    for names in (["one"], ["same", "same"]):
        with pytest.raises(OptionError, match="2 different names are needed, one per result"):
            csat.compare(pls, pls, names=names)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_table_shows_every_result_and_small_groups_are_hidden(survey, lang):
    model = "f =~ a + b + c\nz ~ f"
    found = csat.compare(csat.pls(survey, model, replicates=50), csat.sem(survey, model))
    table = csat.table(found, lang)
    names = [column.name for column in table.columns]
    ends = ["estimate", "low", "high"]
    figures = [f"{end}_{name}" for name in ("PLS", "SEM") for end in ends]
    assert names == ["kind", "about", *figures, "difference_SEM", "n"]
    shown = [[cell.value for cell in row[2:9]] for row in table.rows]
    assert_allclose(shown, found.tidy()[[*figures, "difference_SEM"]].to_numpy())
    said = "".join(table.say(note) for note in table.notes)
    assert "PLSc" in said and "PLS: " in said.replace("：", ": ") and "{" not in said
    data = survey.frame().reset_index(drop=True).iloc[:110].assign(brand=["u"] * 90 + ["v"] * 20)
    few = csat.read_survey(data, design=csat.Design())
    groups = csat.compare(csat.pls(few, model, by="brand"), csat.sem(few, model, group="brand"))
    hidden = [row[3].value is None for row in csat.table(groups, lang).rows]
    assert hidden == [False] * 5 + [True] * 5


def test_the_note_on_turned_constructs_is_in_both_languages(survey):
    model = "f =~ a + b + c\nz ~ f"
    found = csat.compare(csat.pls(survey, model), csat.sem(survey, model))
    turned = replace(found, turned=(("f", "", "SEM"),))
    for lang, words in (("en", "f points the other way in SEM"), ("zh", "f在SEM中方向相反")):
        table = csat.table(turned, lang)
        assert any(words in table.say(note) for note in table.notes)


def test_without_errors_there_are_no_columns_of_intervals(mobi):
    table = csat.table(csat.compare(csat.pls(mobi, MODEL), csat.sem(mobi, MODEL)))
    figures = ["estimate_PLS", "estimate_SEM", "low_SEM", "high_SEM", "difference_SEM"]
    assert [column.name for column in table.columns] == ["kind", "about", *figures, "n"]


def test_different_bases_are_said(survey):
    """An estimator that takes gaps has more respondents than one that does not."""
    data = survey.frame().reset_index(drop=True)
    data.loc[:40, "a"] = np.nan
    gaps = csat.read_survey(data, design=csat.Design())
    model = "f =~ a + b + c\nz ~ f"
    pls = csat.pls(gaps, model)
    found = csat.compare(pls, csat.sem(gaps, model, missing="fiml"))
    assert found.glance()["n"].tolist() == [259, 300] and found.glance()["left_out"].tolist() == [41, 0]
    assert "different numbers of respondents" in found.notes[0]
    notes = csat.table(found).notes
    assert any("different numbers of respondents" in csat.table(found).say(note) for note in notes)
    assert csat.compare(pls, csat.sem(gaps, model)).notes == ()
