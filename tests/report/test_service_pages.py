"""Pages on complaints, audits and time limits: words in both languages, what is shown, what is claimed."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import csat
from csat import report
from csat.errors import CsatError, QuestionnaireError
from csat.report.chart import CHART_MIME
from csat.report.notebook import template
from csat.report.words import words

STUDY = """
[study]
name = "tiny"
index = "all"
[scales.ten]
low = 1
high = 10
[items]
a = { scale = "ten", en = "Repairs", zh = "修障" }
b = { scale = "ten" }
[dimensions.all]
children = ["a", "b"]
[columns.branch]
kind = "category"
[columns.branch.labels]
g = { en = "Gansu", zh = "甘肃" }
x = { en = "Xi'an", zh = "西安" }
[columns.quarter]
kind = "category"
[report]
own = "g"
peer_column = "branch"
period_column = "quarter"
period = "2026Q2"
[service]
complaints = "complaints.csv"
audits = "audits.csv"
sla = "steps.csv"
silent = 24
[service.about]
repair = "a"
[service.texts]
repair = { en = "Repair too slow", zh = "修障太慢" }
"""

COMPLAINTS = pd.DataFrame([
    {"branch": branch, "quarter": quarter, "cause": cause, "complaints": count, "customers": 50000}
    for branch, quarter, counts in (
        ("甘肃", "2026Q1", (300, 80, 5)), ("甘肃", "2026Q2", (180, 82, 6)), ("x", "2026Q2", (7, 9, 2)),
    )
    for cause, count in zip(("repair", "network", "bill"), counts, strict=True)
])  # fmt: skip
AUDITS = pd.DataFrame([
    {"hall": f"h{hall}", "criterion": criterion, "full_marks": full, "score": full - lost * (hall % 3)}
    for hall in range(9) for criterion, full, lost in (("desk", 20, 4), ("signs", 10, 1))
])  # fmt: skip
STEPS = pd.DataFrame({
    "branch": "g", "step": ["dispatch"] * 60 + ["repair"] * 60, "hours": [*range(1, 61), *range(1, 61)],
    "limit": [8] * 60 + [48] * 60, "open": ["no"] * 100 + ["yes"] * 20,
})  # fmt: skip


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "study.toml").write_text(STUDY, encoding="utf-8")
    for name, table in (("complaints", COMPLAINTS), ("audits", AUDITS), ("steps", STEPS)):
        table.to_csv(tmp_path / f"{name}.csv", index=False)
    return tmp_path


@pytest.fixture
def survey(folder):
    rng = np.random.default_rng(3)
    frame = pd.DataFrame(np.clip(rng.normal(7, 1.5, (800, 2)).round(), 1, 10), columns=["a", "b"])
    frame["quarter"] = ["2026Q1", "2026Q2"] * 400
    frame["branch"] = np.where(np.arange(800) < 700, "g", "x")
    frame.loc[frame["quarter"] == "2026Q2", "a"] = (frame["a"] + 1).clip(upper=10)
    return csat.read_survey(frame, csat.read_questionnaire(folder / "study.toml"))


def test_the_section_is_about_the_part_and_period_of_the_report(folder, survey):
    service = report.service_of(folder / "study.toml", report.plan(survey))
    kinds = [type(result).__name__ for result in service.results]
    assert kinds == ["Complaints", "ComplaintChanges", "BeforeAfter", "Audits", "Sla"]
    assert service.results[0].tidy()["count"].tolist() == [180, 82, 6, 268]
    assert service.results[1].tidy()["count_before"].tolist() == [300, 80, 5, 385]
    assert service.unsplit == {"audits": ("branch",)}
    assert service.undated == ("audits", "sla")
    said = [words("en").say(service.base("en", result)) for result in (service.results[0], service.results[3], None)]
    assert said == ["records of Gansu", "everything recorded", "records of Gansu"]


def test_one_thing_has_one_name_in_every_language(folder, survey):
    study = folder / "study.toml"
    plain = report.service_of(study, report.plan(survey)).results
    labels = '[columns.quarter.labels]\n"2026Q1" = { zh = "今年一季度" }\n"2026Q2" = { zh = "今年二季度" }\n[report]'
    study.write_text(study.read_text(encoding="utf-8").replace("[report]", labels), encoding="utf-8")
    about = report.plan(replace(survey, questionnaire=csat.read_questionnaire(study)))
    spoken = COMPLAINTS.replace({"2026Q1": "今年一季度", "2026Q2": "今年二季度", "repair": "修障太慢"})
    spoken.to_csv(folder / "complaints.csv", index=False)
    for was, found in zip(plain[:3], report.service_of(study, about).results, strict=False):
        pd.testing.assert_frame_equal(was.tidy(), found.tidy())
    twice = pd.concat([COMPLAINTS, spoken.assign(branch=spoken["branch"].replace("甘肃", "g"))])
    twice.to_csv(folder / "complaints.csv", index=False)
    with pytest.raises(CsatError, match=r"cause 'g · 2026Q2 · repair' stands in rows 5 and 14"):
        report.service_of(study, about)


def test_a_part_is_as_old_as_the_whole_table(folder, survey):
    steps = pd.DataFrame({"branch": ["g"] * 3 + ["x"], "step": "repair", "start": "2026-07-01 08:00", "limit": 24,
                          "end": ["2026-07-01 09:00", "2026-07-01 10:00", None, "2026-07-09 08:00"]})  # fmt: skip
    steps.to_csv(folder / "steps.csv", index=False)
    found = report.service_of(folder / "study.toml", report.plan(survey)).results[-1]
    assert (found.open_over.tolist(), found.open_within.tolist()) == ([1], [0])


def test_columns_are_found_by_the_text_of_the_study_too(folder, survey):
    headed = (folder / "study.toml").read_text(encoding="utf-8")
    texts = '[columns.branch]\nkind = "category"\nzh = "所属公司"\nen = "Branch office"'
    (folder / "study.toml").write_text(headed.replace('[columns.branch]\nkind = "category"', texts), encoding="utf-8")
    asked = csat.read_questionnaire(folder / "study.toml")
    by_code = report.service_of(folder / "study.toml", report.plan(survey)).results[0].tidy()
    for head in ("所属公司", " branch OFFICE", "Branch"):
        COMPLAINTS.rename(columns={"branch": head}).to_csv(folder / "complaints.csv", index=False)
        service = report.service_of(folder / "study.toml", report.plan(replace(survey, questionnaire=asked)))
        pd.testing.assert_frame_equal(service.results[0].tidy(), by_code)
        assert "complaints" not in service.unsplit


def test_every_table_of_the_notebook_says_whose_records_it_shows():
    source = "".join(line for cell in template()["cells"] for line in cell["source"])
    assert source.count("base=service.base(lang, result)") == 2
    assert "base=service.base(lang))" not in source


def test_the_manifest_holds_the_hashes_of_the_tables(folder, survey):
    (folder / "data.csv").write_text("a,b\n", encoding="utf-8")
    plan = report.plan(survey)
    made = report.manifest(plan, study=folder / "study.toml", data=folder / "data.csv")
    assert made.files["audits"]["name"] == "audits.csv" and len(made.files["audits"]["sha256"]) == 64
    assert "Table of audits" in repr(csat.table(made)) and "暗访表" in repr(csat.table(made, lang="zh"))
    AUDITS.assign(score=1).to_csv(folder / "audits.csv", index=False)
    again = report.manifest(plan, study=folder / "study.toml", data=folder / "data.csv")
    changes = report.revision(again, made).changes
    assert [change.place for change in changes] == [("audits",)]
    assert again.questionnaire == made.questionnaire


@pytest.mark.parametrize(
    ("lang", "said"),
    [
        ("en", ("268 complaints were recorded", "“Repair too slow”: 67%",
                "Fewer complaints than before: Repair too slow",
                "“dispatch” overruns most often", "24 dissatisfied customers", "no column branch")),
        ("zh", ("共记录投诉268件", "修障太慢", "比以前减少的投诉：修障太慢", "“dispatch”超时最多", "24位",
                "没有“branch”列")),
    ],
)  # fmt: skip
def test_sentences_say_what_the_figures_allow(folder, survey, lang, said):
    service = report.service_of(folder / "study.toml", report.plan(survey))
    text = "\n".join(report.service_text(service, lang, survey.questionnaire).sentences)
    for part in said:
        assert part in text, text


def test_another_branch_has_its_own_rows_and_few_complaints_are_not_judged(folder, survey):
    service = report.service_of(folder / "study.toml", report.plan(survey, own="x"))
    assert service.results[0].count[-1] == 18
    assert (service.nothing, service.undated) == (("sla",), ("audits",))
    text = "\n".join(report.service_text(service, "en", survey.questionnaire).sentences)
    assert "Complaints: 18 recorded, too few for a statement." in text
    assert "Time limits: nothing was recorded for this part." in text


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_tables_and_charts_are_there_in_both_languages(folder, survey, lang):
    service = report.service_of(folder / "study.toml", report.plan(survey))
    asked = survey.questionnaire
    for result in service.results:
        made = csat.table(result, lang=lang, names=asked, base=service.base(lang, result))
        assert made.rows and result._repr_html_().startswith("<")
        for kind in report.plots.PLOTS[type(result).__name__]:
            axes = csat.plot(result, kind, lang=lang, names=asked, base=service.base(lang, result))
            chart = axes.figure._repr_mimebundle_()[CHART_MIME]
            assert chart["alt"] and chart["categories"]
    assert ("修障太慢" if lang == "zh" else "Repair too slow") in repr(
        csat.table(service.results[0], lang=lang, names=asked)
    )


def test_shares_on_few_complaints_are_hidden_and_counts_are_not():
    few = csat.complaints(pd.DataFrame({"cause": ["a", "b"], "complaints": [12, 6], "customers": 900}))
    text = repr(csat.table(few))
    assert "66.7%" not in text and "Fewer than 30: not shown." in text
    assert "13.33" in text and " 12 " in text


def test_mistakes_stop_a_report_before_anything_is_computed(folder):
    asked = csat.read_questionnaire(folder / "study.toml")
    report.check_service(asked, folder / "study.toml")
    AUDITS.assign(score=99).to_csv(folder / "audits.csv", index=False)
    with pytest.raises(CsatError, match=r"audits\.csv, row 2, column 'score': the score 99 is above the full marks 20"):
        report.check_service(asked, folder / "study.toml")
    with pytest.raises(CsatError, match=r"audits\.csv, row 2"):
        csat.write_report(folder / "study.toml", folder / "complaints.csv", folder / "out", progress=False)
    assert not (folder / "out").exists()
    (folder / "audits.csv").unlink()
    with pytest.raises(QuestionnaireError, match=r"key 'audits': there is no file 'audits\.csv' beside the study"):
        report.check_service(asked, folder / "study.toml")


def test_without_tables_there_is_no_section(folder):
    (folder / "bare.toml").write_text('[study]\nname = "n"\n[columns.q]\nkind = "number"', encoding="utf-8")
    bare = csat.read_survey(pd.DataFrame({"q": [1, 2]}), csat.read_questionnaire(folder / "bare.toml"))
    with pytest.raises(QuestionnaireError, match=r"\[service\]"):
        report.service_of(folder / "bare.toml", report.plan(bare))
