"""What a report was made of, and what has changed since the last one."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest

import csat
from csat.bases import Bases
from csat.errors import MissingFileError, OptionError, QuestionnaireError
from csat.report.difference import revision
from csat.report.manifest import FILE, manifest, read_manifest, sha256
from csat.report.settings import plan
from csat.report.since import changed

SAMPLE = Path(__file__).parents[2] / "data" / "sample"
STUDY, DATA = SAMPLE / "study.toml", SAMPLE / "survey.csv"


@pytest.fixture(scope="module")
def survey():
    return csat.read_survey(DATA, csat.read_questionnaire(STUDY))


@pytest.fixture(scope="module")
def made(survey):
    return manifest(plan(survey), study=STUDY, data=DATA, notebook=sha256("cells"), seed=7)


def figure(made, term, period, by="", group=""):
    (found,) = [f for f in made.figures if (f["period"], f["by"], f["group"], f["term"]) == (period, by, group, term)]
    return found


def with_figure(made, position, **changed):
    figures = list(made.figures)
    figures[position] = {**figures[position], **changed}
    return replace(made, figures=tuple(figures))


def of_study(survey, **changed):
    """The manifest after a change of the questionnaire, of the data as they were read."""
    asked = replace(survey.questionnaire, **changed)
    return manifest(
        plan(replace(survey, questionnaire=asked)), study=STUDY, data=DATA, notebook=sha256("cells"), seed=7
    )


def test_files_are_told_by_their_bytes(made):
    assert made.files["data"] == {"name": "survey.csv", "sha256": hashlib.sha256(DATA.read_bytes()).hexdigest()}
    assert made.files["study"]["sha256"] == hashlib.sha256(STUDY.read_bytes()).hexdigest()
    assert made.files["notebook"]["sha256"] == hashlib.sha256(b"cells").hexdigest()


def test_the_questionnaire_is_told_by_its_meaning(made, survey, tmp_path):
    csat.write_codebook(survey.questionnaire, tmp_path / "book.xlsx")
    asked = csat.read_questionnaire(tmp_path / "book.xlsx")
    again = manifest(plan(csat.read_survey(DATA, asked)), study=tmp_path / "book.xlsx", data=DATA)
    assert again.files["study"]["sha256"] != made.files["study"]["sha256"]
    assert again.questionnaire["sha256"] == made.questionnaire["sha256"]


def test_figures_are_those_of_the_index(made, survey):
    own = survey.where(branch="gansu")
    by_quarter = csat.index(own, by="quarter").tidy().set_index(["quarter", "term"])
    found = figure(made, "quality", "2026Q1")
    assert (found["estimate"], found["se"]) == tuple(by_quarter.loc[("2026Q1", "quality"), ["estimate", "se"]])
    brands = csat.index(own.where(quarter="2026Q3"), by="brand").tidy().set_index(["brand", "term"])
    found = figure(made, "satisfaction", "2026Q3", "brand", "mzone")
    assert (found["estimate"], found["n"]) == tuple(brands.loc[("mzone", "satisfaction"), ["estimate", "n"]])
    assert made.sample["answers"]["C11"] == csat.index(own.where(quarter="2026Q3"), nodes=["C11"]).estimates.n[0]


def test_small_bases_stay_out_of_the_file(survey):
    strict = replace(survey.questionnaire, bases=Bases(suppress=110, flag=120))
    found = manifest(plan(replace(survey, questionnaire=strict)), study=STUDY, data=DATA)
    hidden = figure(found, "satisfaction", "2026Q3", "brand", "mzone")
    assert hidden["estimate"] is hidden["se"] is hidden["n"] is None
    assert all(f["n"] is None or f["n"] >= 110 for f in found.figures)


def test_the_file_is_the_same_every_time_and_reads_back(made, survey, tmp_path):
    again = manifest(plan(survey), study=STUDY, data=DATA, notebook=sha256("cells"), seed=7)
    assert again.to_json() == made.to_json()
    made.write(tmp_path / FILE)
    assert read_manifest(tmp_path).to_json() == read_manifest(tmp_path / FILE).to_json() == made.to_json()
    assert str(SAMPLE) not in made.to_json()


def test_what_is_no_manifest_is_refused(tmp_path):
    with pytest.raises(MissingFileError, match=r"nowhere\.json"):
        read_manifest(tmp_path / "nowhere.json")
    for text in ("{", "[]", '{"format": 1}', json.dumps({"format": 1, "files": 3, "figures": 4})):
        (tmp_path / FILE).write_text(text, encoding="utf-8")
        with pytest.raises(OptionError, match=r"report\.json is no report\.json of csat; name the one"):
            read_manifest(tmp_path)


def test_a_manifest_needs_a_study(survey):
    about = plan(survey)
    bare = replace(about, own=csat.read_survey(survey.frame(["overall"])))
    with pytest.raises(QuestionnaireError, match="A manifest needs a study"):
        manifest(bare, study=STUDY, data=DATA)


def test_nothing_has_changed_between_a_report_and_itself(made):
    same = revision(made, made)
    assert (len(same.changes), len(same.revised), same.same("data")) == (0, 0, True)
    assert same.compared == sum(f["estimate"] is not None for f in made.figures)


def test_a_revised_figure_is_found_and_its_size_told(made):
    place = next(i for i, f in enumerate(made.figures) if f["term"] == "value" and f["period"] == "2026Q1")
    now = made.figures[place]
    before = with_figure(made, place, estimate=now["estimate"] - 1.25, n=now["n"] - 3)
    (row,) = revision(made, before).revised.to_dict("records")
    assert (row["period"], row["term"], row["n_after"] - row["n_before"]) == ("2026Q1", "value", 3)
    assert row["difference"] == pytest.approx(1.25, abs=1e-12)


def test_rounding_errors_are_no_revision(made):
    now = made.figures[0]["estimate"]
    assert revision(made, with_figure(made, 0, estimate=now * (1 + 1e-12))).revised.empty
    assert len(revision(made, with_figure(made, 0, estimate=now * (1 + 1e-8))).revised) == 1


def test_a_new_quarter_revises_nothing(survey, made):
    earlier = of_study(survey, settings={**survey.questionnaire.settings, "period": "2026Q2"})
    found = revision(made, earlier)
    assert found.revised.empty
    assert found.compared == 3 * len(survey.questionnaire.nodes)
    assert ("settings", ("period",), "2026Q2", "2026Q3") in [
        (c.part, c.place, c.before, c.after) for c in found.changes
    ]
    assert found.before.questionnaire["sha256"] == found.after.questionnaire["sha256"]


def test_changes_of_the_study_are_named(survey, made):
    asked = survey.questionnaire
    first, *items = asked.items
    reworded = replace(first, texts={**first.texts, "en": "Fame"})
    weights = {"satisfaction": {"service_value": 0.6, "corporate_image": 0.4}}
    later = of_study(
        survey,
        items=(reworded, *items[:-1]),
        dimensions=asked.with_weights(weights).dimensions,
        fuzzy={"membership": "share"},
    )
    found = {(c.part, c.place): (c.what, c.before, c.after) for c in revision(later, made).changes}
    assert found["items", ("C11", "en")] == ("changed", "Brand awareness", "Fame")
    assert found["items", (items[-1].code,)] == ("gone", None, None)
    assert found["dimensions", ("satisfaction", "weights", "corporate_image")] == ("changed", 0.3, 0.4)
    assert found["fuzzy", ("membership",)] == ("changed", "triangular", "share")
    moved = revision(later, made).revised
    assert set(moved["term"]) == {"satisfaction"}


def test_reports_on_others_have_no_figures_in_common(survey, made):
    other = manifest(plan(survey, own="xian"), study=STUDY, data=DATA)
    found = revision(made, other)
    assert not found.comparable
    assert (found.compared, len(found.revised)) == (0, 0)
    with pytest.raises(OptionError, match="compares two manifests, not a str"):
        revision(made, "report.json")


def test_a_filter_on_the_column_of_peers_makes_its_group_the_own_one(survey):
    about = plan(survey.where(branch="xian"), {"branch": "xian"})
    assert (about.own_label, about.against, list(about.groupings)) == ("xian", (), ["brand", "line"])
    assert len(about.own) == len(about.everyone) == 400
    several = plan(survey.where(branch=["xian", "qinghai"]), {"branch": ["xian", "qinghai"]})
    assert (several.own_label, len(several.own), list(several.groupings)) == (None, 650, ["branch", "brand", "line"])
    indirect = plan(survey.where(city="yanta"), {"city": "yanta"})
    assert indirect.own_label == "xian"


def test_another_group_can_be_the_own_one(survey):
    about = plan(survey, own="xian")
    assert (len(about.own), about.against) == (400, ("gansu", "rival"))
    assert (list(about.groupings), about.ranked) == (["brand", "line"], True)
    assert len(about.everyone) == 1600
    assert plan(survey, own="gansu").against == plan(survey).against == ("xian", "rival")
    with pytest.raises(OptionError, match="own='nowhere' is not known; choose one of 'gansu'"):
        plan(survey, own="nowhere")
    bare = replace(survey.questionnaire, settings={})
    with pytest.raises(OptionError, match="set peer_column in the study's"):
        plan(replace(survey, questionnaire=bare), own="xian")


@pytest.fixture(scope="module")
def altered(survey, made):
    """From an earlier report with other weights, another wording and one question more."""
    first, *items = survey.questionnaire.items
    asked = {
        "items": (replace(first, texts={**first.texts, "en": "Fame"}), *items[:-1]),
        "dimensions": survey.questionnaire.with_weights(
            {"satisfaction": {"service_value": 0.6, "corporate_image": 0.4}}
        ).dimensions,
    }
    earlier = of_study(survey, **asked)
    return revision(made, replace(earlier, versions={**earlier.versions, "numpy": "1.0"}))


def test_the_sentences_say_what_has_changed_and_by_how_much(altered, study):
    said = " ".join(changed(altered, "en", study).sentences)
    top = altered.revised.iloc[0]
    assert "The data file is the same, byte for byte" in said
    assert "New questions: Likelihood to recommend to family and friends." in said
    assert "Questions worded differently: Brand awareness." in said
    assert "The index tree has changed at Satisfaction index" in said
    assert f"numpy 1.0 → {made_with('numpy')}" in said
    assert (
        f"were revised; the largest revision is Satisfaction index (Rival, Q3 2026), from {top['before']:.2f}" in said
    )
    assert "scale" not in said


def made_with(package):
    from importlib.metadata import version

    return version(package)


def test_a_questions_new_scale_is_said(survey, made, study):
    asked = survey.questionnaire
    wider = replace(asked.scales[0], missing={98.0: "dont_know", 99.0: "refused"})
    items = tuple(replace(item, scale=wider) if item.scale.name == "ten" else item for item in asked.items)
    processes = tuple(replace(process, scale=wider) for process in asked.processes)
    after = of_study(survey, scales=(wider, *asked.scales[1:]), items=items, processes=processes)
    (said,) = [line for line in changed(revision(after, made), "en", study).sentences if "scale" in line]
    assert said.startswith("Questions on another scale, or whose scale has changed: Brand awareness")
    assert "This company takes" not in said


def test_sentences_claim_no_revision_where_there_is_none(survey, made, study):
    same = changed(revision(made, made), "zh", study).sentences
    assert same[-1].endswith("均未修订。")
    other = manifest(plan(survey, own="xian"), study=STUDY, data=DATA)
    assert "other respondents" in changed(revision(made, other), "en", study).sentences[-1]
    place = next(i for i, f in enumerate(made.figures) if f["term"] == "value")
    wider = with_figure(made, place, se=made.figures[place]["se"] + 1)
    said = changed(revision(made, wider), "en", study).sentences
    assert "none was revised" in said[-2]
    assert said[-1].startswith("Of 1 other figures only the standard error")
    fewer = with_figure(made, place, n=made.figures[place]["n"] - 1)
    assert "the bases of 1 were revised, no figure itself" in changed(revision(made, fewer), "en", study).sentences[-1]


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_tables_hold_every_change_and_revision(altered, made, study, lang):
    from csat.report.tables import table

    rows = table(altered, lang, study).rows
    assert len(rows) == len(altered.changes)
    shown = table(altered, lang, study, kind="figures")
    assert [row[5].value for row in shown.rows] == altered.revised["difference"].tolist()
    facts = {row[0].value.key: row[1].value for row in table(made, lang, study).rows}
    assert facts["manifest.seed"] == "7"
    assert facts["manifest.data"].blanks["digits"] == made.files["data"]["sha256"][:16]
