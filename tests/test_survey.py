"""The survey noun: domains that keep the design, row scores, quality flags, and how it shows itself."""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from csat.design import Design
from csat.errors import CsatError, OptionError, SampleError, UnknownColumnError
from csat.moments import Recode
from csat.questionnaire import Column, Dimension, Item, Process, Questionnaire, Scale, read_questionnaire
from csat.survey import BATCH_ROWS, INSIDE, Survey, read_survey

FIXTURES = Path(__file__).parent / "fixtures"

TEN = Scale("ten", 1, 10, missing={99: "not_used"})
GRADED = Scale("graded", 1, 3, conversion="grade", scores={1: 0, 2: 90, 3: 100})
ASKED = Questionnaire(
    "q",
    scales=(TEN, GRADED),
    items=(Item("A", TEN), Item("B", TEN), Item("C", GRADED), Item("overall", TEN)),
    processes=(Process("P", TEN),),
    dimensions=(
        Dimension("index", {}, ("left", "right"), (0.6, 0.4)),
        Dimension("left", {}, ("A", "B")),
        Dimension("right", {}, ("C", "P"), (0.25, 0.75)),
    ),
    root="index",
    columns=(
        Column("brand", "category", {}, {"mzone": {"zh": "动感地带"}, "gotone": {"zh": "全球通"}, "easy": {}}),
        Column("id", "id"),
        Column("secs", "seconds"),
    ),
    design=Design(weight="w", stratum="st", psu="hall"),
)


def rows() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "A": [1, 10, 5, None, 7, 7],
            "B": [10, 10, None, 99, 7, 7],
            "C": [1, 2, 3, None, 2, 2],
            "overall": [1, 10, 5, 6, 7, 7],
            "P": [10, 1, 5, None, 7, 7],
            "brand": ["mzone", "gotone", "全球通", None, "gotone", "mzone"],
            "id": list("abcdef"),
            "secs": [300, 310, 290, 30, 305, 295],
            "w": [1, 2, 1, 1, 0.5, 0.5],
            "st": ["x", "x", "x", "y", "y", "y"],
            "hall": ["1", "1", "2", "1", "2", "2"],
            "year": [2025, 2025, 2026, 2026, 2026, 2025],
        }
    )


@pytest.fixture
def survey():
    return read_survey(rows(), ASKED)


def test_what_a_survey_knows(survey):
    assert len(survey) == 6
    assert survey.columns == tuple(rows().columns)
    assert survey.weight.tolist() == [1, 2, 1, 1, 0.5, 0.5]
    assert survey.n_eff == pytest.approx(6**2 / (1 + 4 + 1 + 1 + 0.25 + 0.25))
    assert survey.categories("brand") == ("mzone", "gotone")
    assert survey.categories("year") == ("2025", "2026")
    assert survey.ledger.plain == ("year",)


def test_a_survey_is_frozen(survey):
    with pytest.raises(AttributeError):
        survey.design = Design()


def test_a_domain_keeps_the_design(survey):
    gotone = survey.where(brand="gotone")
    assert len(gotone) == 3
    assert gotone.table.num_rows == 6
    assert gotone.design == survey.design
    assert gotone.columns == survey.columns
    groups = gotone.groups(["A"])
    assert groups.units.tolist() == survey.groups(["A"]).units.tolist()
    assert groups.psus == survey.groups(["A"]).psus
    assert groups.moments().n == 3
    assert groups.moments().mean[0] == pytest.approx((10 * 2 + 5 * 1 + 7 * 0.5) / 3.5)
    assert groups.questionnaire is ASKED


def test_domains_by_label_list_number_and_twice(survey):
    assert len(survey.where(brand="全球通")) == 3
    assert len(survey.where(brand=["gotone", "动感地带"])) == 5
    assert len(survey.where(year=2026)) == len(survey.where(year="2026")) == 3
    assert len(survey.where(A=7.0)) == 2
    assert len(survey.where(brand="gotone").where(year=2026)) == 2
    assert len(survey.where(brand="gotone", year=2026)) == 2
    assert len(survey.where(brand="easy")) == 0
    assert survey.where(brand="gotone").where(year=2026).categories("id") == ("c", "e")
    assert survey.where(brand="gotone").frame(["id"])["id"].tolist() == ["b", "c", "e"]


def test_a_domain_counts_like_the_group_of_a_grouping(survey):
    by = survey.groups(["A", "P"], by=["brand"]).moments(("gotone",))
    alone = survey.where(brand="gotone").groups(["A", "P"]).moments()
    np.testing.assert_allclose(by.gram, alone.gram, rtol=1e-14)
    counted = survey.where(brand="gotone").levels(["A"])
    grouped = survey.levels(["A"], by=["brand"])
    assert counted.weighted[0][0].tolist() == grouped.weighted[0][grouped.domains.index(("gotone",))].tolist()


def test_a_domain_that_cannot_be(survey):
    with pytest.raises(OptionError, match=r"brand='gotome' is not known; choose one of 'mzone', 'gotone', 'easy'"):
        survey.where(brand="gotome")
    with pytest.raises(UnknownColumnError, match=r"No column 'brnd' in this survey. Did you mean 'brand'"):
        survey.where(brnd="gotone")


def test_sums_and_counts_of_rows(survey):
    frame = rows()
    moments = survey.groups(["overall", "year"]).moments()
    np.testing.assert_allclose(moments.mean, np.average(frame[["overall", "year"]], axis=0, weights=frame["w"]))
    assert moments.midpoint.tolist() == [5.5, 2025.5]
    share = survey.groups([Recode("top", "overall", {7: 1, **dict.fromkeys((1, 5, 6, 10), 0)})]).moments()
    assert share.mean[0] == pytest.approx(1 / 6)
    counts = survey.levels(["C", "brand", "year"])
    assert counts.levels == ((1.0, 2.0, 3.0), ("mzone", "gotone"), (2025.0, 2026.0))
    assert [c[0].tolist() for c in counts.unweighted] == [[1, 3, 1], [2, 3], [3, 3]]
    assert counts.missing.tolist() == [[1, 1, 0]]


def test_grouping_by_the_variable_itself(survey):
    groups = survey.groups(["overall"], by=["overall"])
    assert {domain[0] for domain in groups.domains} == {"1", "5", "6", "7", "10"}
    assert groups.moments(("7",)).mean[0] == 7


def test_what_cannot_be_summed(survey):
    with pytest.raises(SampleError, match="'brand' holds categories such as 'mzone', 'gotone', not numbers"):
        survey.groups(["brand"])
    with pytest.raises(UnknownColumnError, match="Did you mean 'overall'"):
        survey.groups(["overal"])
    with pytest.raises(UnknownColumnError):
        survey.levels(["A"], by=["nothing"])
    with pytest.raises(UnknownColumnError):
        survey.frame(["nothing"])
    with pytest.raises(UnknownColumnError):
        survey.categories("nothing")


def test_batches_are_alike_for_every_source():
    size = BATCH_ROWS + 10
    rng = np.random.default_rng(3)
    table = pa.table({"a": rng.random(size), "w": rng.random(size) + 0.5})
    pieces = pa.concat_tables([table.slice(start, 1000) for start in range(0, size, 1000)])
    design = Design(weight="w")
    whole, parts = (read_survey(source, design=design) for source in (table, pieces))
    assert [batch.num_rows for batch in whole.batches(["a"])] == [BATCH_ROWS, 10]
    assert [batch.num_rows for batch in parts.batches(["a"])] == [BATCH_ROWS, 10]
    assert np.array_equal(whole.groups(["a"]).gram, parts.groups(["a"]).gram)


def test_batches_carry_the_design_and_the_domain(survey):
    batch = next(survey.where(brand="gotone").batches(["A"]))
    assert batch.schema.names == ["A", "w", "st", "hall", INSIDE]
    assert batch.column(INSIDE).to_pylist() == [False, True, True, False, True, False]
    assert batch.column("A").null_count == 1


def test_without_a_questionnaire_numbers_are_variables_and_text_is_categories():
    frame = pd.DataFrame(
        {"y": [1.0, 2.0, 4.0], "g": ["a", "b", "a"], "w": [1, 1, 2], "st": [1, 1, 2], "hall": [1, 2, 3]}
    )
    survey = read_survey(frame, design=Design(weight="w", stratum="st", psu="hall"))
    assert survey.questionnaire is None
    assert survey.numbers == ("y", "w")
    assert survey.groups(["y"]).moments().mean[0] == pytest.approx((1 + 2 + 8) / 4)
    assert survey.groups(["y"], by=["g"]).domains == (("a",), ("b",))
    assert survey.levels(["y"]).levels == ((1.0, 2.0, 4.0),)
    with pytest.raises(SampleError, match="Scores need an index tree"):
        survey.scores()
    assert "Survey" in repr(survey)


def test_scores_weigh_the_answered_items(survey):
    scores = survey.scores()
    assert list(scores.columns) == list(ASKED.nodes)
    first = scores.iloc[0]
    assert (first["A"], first["B"], first["left"]) == (0, 100, 50)
    assert first["right"] == pytest.approx(0.25 * 0 + 0.75 * 100)
    assert first["index"] == pytest.approx(0.6 * 50 + 0.4 * 75)
    third = scores.iloc[2]  # B is missing: A stands for the whole of `left`
    assert third["left"] == pytest.approx(400 / 9)
    leaf = {"A": 0.3, "C": 0.1, "P": 0.3}
    answered = {"A": 400 / 9, "C": 100, "P": 400 / 9}
    expected = sum(weight * answered[code] for code, weight in leaf.items()) / sum(leaf.values())
    assert third["index"] == pytest.approx(expected)
    assert scores.iloc[3].isna().all()
    assert scores.min().min() >= 0
    assert scores.max().max() <= 100
    assert len(survey.where(brand="gotone").scores()) == 3


def test_frames_are_rows_with_their_place_in_the_source(survey):
    frame = survey.frame(["A", "brand"])
    assert frame["A"].isna().tolist() == [False, False, False, True, False, False]
    assert frame["brand"].fillna("–").tolist() == ["mzone", "gotone", "gotone", "–", "gotone", "mzone"]
    assert frame.index.tolist() == list(range(6))
    assert list(survey.frame().columns) == list(survey.columns)


def careless() -> pd.DataFrame:
    codes = [f"Q{i}" for i in range(1, 7)]
    answers = [
        [5, 5, 5, 5, 5, 5],
        [5, 5, 5, 5, None, None],  # only four answers
        [1, 2, 3, 4, 5, 6],
        [1, 2, 3, 4, 5, 6],
        [9, 9, 9, None, 9, 9],
        [None] * 6,
        [None] * 6,
    ]
    frame = pd.DataFrame(answers, columns=codes)
    return frame.assign(secs=[300, 330, 90, 101, 303, None, 300], id=list("abcdefg"))


def careless_survey(**parts) -> Survey:
    items = tuple(Item(f"Q{i}", TEN) for i in range(1, 7))
    return read_survey(careless(), Questionnaire("q", items=items, **parts))


def test_quality_flags_and_removes_nothing():
    survey = careless_survey(columns=(Column("secs", "seconds"), Column("id", "id")))
    quality = survey.quality()
    rows = quality.tidy()
    assert rows["straight_line"].tolist() == [True, False, False, False, True, False, False]
    assert rows["duplicate_answers"].tolist() == [False, False, True, True, False, False, False]
    assert quality.limit == 100
    assert rows["too_fast"].tolist() == [False, False, True, False, False, False, False]
    assert rows["missing_share"].tolist() == pytest.approx([0, 1 / 3, 0, 0, 1 / 6, 1, 1])
    assert rows["id"].tolist() == list("abcdefg")
    assert rows["row"].tolist() == list(range(7))
    summary = quality.glance().iloc[0]
    assert (summary["n"], summary["straight_line"], summary["duplicate_answers"], summary["any_flag"]) == (7, 2, 2, 4)
    assert len(survey) == 7
    assert repr(quality).startswith("Quality of 7 respondents: straight_line 2, too_fast 1")
    assert survey.quality(fast=0.5).tidy()["too_fast"].sum() == 2


def test_quality_without_times_or_identifiers():
    quality = careless_survey().quality()
    assert not quality.tidy()["too_fast"].any()
    assert np.isnan(quality.limit)
    assert quality.tidy()["id"].isna().all()
    with pytest.raises(OptionError, match="between 0 and 1"):
        careless_survey().quality(fast=30)


def test_a_survey_shows_itself(survey):
    text = repr(survey)
    assert text == repr(read_survey(rows(), ASKED))
    for words in (
        "respondents: 6",
        "weights: 0.5 to 2, effective n 4.8",
        "stratum: st (2)",
        "unit: hall (2)",
        "mzone, gotone",
    ):
        assert words in text
    assert "respondents: 3 of 6" in repr(survey.where(brand="gotone"))
    page = read_survey(pd.DataFrame({"<b>": [1, 2]}))._repr_html_()
    assert "&lt;b&gt;" in page
    assert "<b>" not in page


def test_an_empty_domain_still_shows_itself(survey):
    empty = survey.where(brand="easy")
    assert "respondents: 0 of 6" in repr(empty)
    assert empty.scores().shape == (0, len(ASKED.nodes))
    assert len(empty.quality().tidy()) == 0
    assert empty.n_eff == 0


def test_a_path_is_no_questionnaire():
    with pytest.raises(OptionError, match=r"use csat.read_questionnaire\(path\)"):
        read_survey(rows(), "study.toml")


def test_reserved_names_are_refused():
    for name in (INSIDE, "(row)"):
        with pytest.raises(CsatError, match="is reserved"):
            read_survey(pd.DataFrame({name: [1]}))


@pytest.mark.shared
def test_the_ecsi_customers_are_read_whole(shared_case):
    """Means as in the data file; the path model's blocks are the dimensions of the study."""
    path = shared_case("pls_mobi_plspm_path.csv")
    asked = read_questionnaire(FIXTURES / "ecsi" / "study.toml")
    survey = read_survey(path, asked)
    frame = pd.read_csv(path)
    assert len(survey) == 250
    assert survey.ledger.rows_left_out == 0
    assert set(asked.codes) == set(frame.columns)
    moments = survey.groups(list(asked.codes), rule="listwise").moments()
    np.testing.assert_allclose(moments.mean, frame[list(asked.codes)].mean(), rtol=1e-13)
    np.testing.assert_allclose(moments.cov * 250 / 249, frame[list(asked.codes)].cov(), rtol=1e-11)
    np.testing.assert_array_equal(survey.table.select(list(asked.codes)).to_pandas(), frame[list(asked.codes)])
    image = (frame[[f"IMAG{i}" for i in range(1, 6)]].mean(axis=1) - 1) / 9 * 100
    np.testing.assert_allclose(survey.scores()["IMAG"], image, rtol=1e-12)
