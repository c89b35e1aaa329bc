"""Bad tables are refused with file, row, column and what to do; what cannot be computed says why."""

import numpy as np
import pandas as pd
import pytest

import csat
from csat.errors import CsatError, OptionError, UnknownColumnError

AUDIT = "criterion,full_marks,score,lost\np,20,18,-2\nq,10,10,0\n"
COUNTS = "cause,period,complaints,customers\na,2026Q1,5,100\nb,2026Q1,7,100\na,2026Q2,9,100\nb,2026Q2,1,100\n"
STEPS = "step,start,end,limit\nfix,2026-07-01 08:00,2026-07-02 09:00,24\nfix,2026-07-01 08:00,,24\n"


@pytest.fixture
def file(tmp_path):
    def write(text):
        path = tmp_path / "table.csv"
        path.write_text(text, encoding="utf-8")
        return path

    return write


@pytest.mark.parametrize(
    ("text", "old", "new", "said"),
    [
        (AUDIT, "18,-2", "21,1", r"table\.csv, row 2, column 'score': the score 21 is above the full marks 20\."),
        (AUDIT, "18,-2", "18,-3", r"row 2, column 'lost': -3 marks lost, but score 18 less full marks 20 is -2\."),
        (AUDIT, "10,10,0", "0,0,0", r"row 3, column 'full_marks': full marks are above 0; found 0\."),
        (AUDIT, "10,10,0", "10,-1,11", r"row 3, column 'score': a score is 0 or more; found -1\."),
        (AUDIT, "10,10,0", "10,x,0", r"row 3, column 'score': str 'x' is no number\."),
        (AUDIT, "10,10,0", "10,,0", r"row 3, column 'score': the cell is empty\."),
        (AUDIT, "q,", ",", r"row 3, column 'criterion': the cell is empty\."),
        (AUDIT, "q,", "p,", r"criterion 'p' stands in rows 2 and 3\. Several visits need a column \"visit\""),
        (
            AUDIT,
            "q,10,10,0\n",
            "总分,20,17,-3\n",
            r"row 3, column 'score': the total 17 is not the sum of its criteria, 18",
        ),
        (AUDIT, "score", "points", r"no column for score\. It is called 'score', '得分'"),
        (AUDIT, "p,20,18,-2\nq,10,10,0\n", "", r"table\.csv: .*no rows|no rows"),
    ],
)
def test_wrong_audits_are_named(file, text, old, new, said):
    with pytest.raises(CsatError, match=said):
        csat.audits(file(text.replace(old, new)))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("5,100", "5.5,100", r"row 2, column 'complaints': 5\.5 is no count of complaints: a whole number, 0 or more"),
        ("5,100", "-1,100", r"row 2, column 'complaints': -1 is no count"),
        ("7,100", "7,90", r"row 3, column 'customers': 90 customers, but row 2 says 100 for 2026Q1\."),
        ("7,100", "7,0", r"row 3, column 'customers': 0 customers: a number above 0 is needed\."),
        ("b,2026Q1", "a,2026Q1", r"cause '2026Q1 · a' stands in rows 2 and 3\. Add them up"),
        ("b,2026Q1", "合计,2026Q1", r"row 3, column 'cause': a row of sums would be counted twice; leave it out\."),
    ],
)
def test_wrong_complaints_are_named(file, old, new, said):
    with pytest.raises(CsatError, match=said):
        csat.complaints(file(COUNTS.replace(old, new)))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("2026-07-02 09:00", "2026-06-02 09:00", r"row 2, column 'end': the end lies before the start\."),
        (
            "2026-07-02 09:00",
            "02/07/2026",
            r"row 2, column 'end': str '02/07/2026' is no moment; write 2026-07-31 18:05",
        ),
        ("2026-07-02 09:00", "2026-13-02", r"row 2, column 'end': str '2026-13-02' is no moment"),
        (",,24", ",,12", r"row 3, column 'limit': 12 hours for 'fix', but row 2 says 24; a step has one limit\."),
        (",,24", ",,-1", r"row 3, column 'limit'"),
        ("fix,2026-07-01 08:00,,", "fix,,,", r"row 3, column 'start': the cell is empty\."),
        ("start", "begin", r"a table of steps has hours, or start and end; there is no start\."),
        ("limit", "goal", r"the time limits are not known; add a column 'limit', or pass limits="),
    ],
)
def test_wrong_steps_are_named(file, old, new, said):
    with pytest.raises(CsatError, match=said):
        csat.sla(file(STEPS.replace(old, new)))


def test_negative_hours_are_refused_with_their_row(file):
    with pytest.raises(CsatError, match=r"row 3, column 'hours': -2 hours: a duration is 0 or more\."):
        csat.sla(file("step,hours\nfix,1\nfix,-2\n"), {"fix": 1})


@pytest.mark.parametrize(
    ("call", "error", "said"),
    [
        (lambda t: csat.complaints(t, by="hall"), UnknownColumnError, r"No column 'hall' in table\.csv"),
        (lambda t: csat.complaints(t, columns={"price": "cause"}), OptionError, r"columns: role='price' is not known"),
        (lambda t: csat.complaints(t, columns={"cause": "x"}), UnknownColumnError, r"No column 'x'"),
        (lambda t: csat.complaints(t, silent=-1), OptionError, r"silent is a number above 0"),
        (lambda t: csat.complaints(t, by="period", customers=5), OptionError, r"one number for 2 groups"),
        (lambda t: csat.complaint_changes(t, "2026Q1", "2026Q4"), OptionError, r"after='2026Q4' is not known"),
        (lambda t: csat.complaint_changes(t, "2026Q1", "2026Q1"), OptionError, r"are both '2026Q1'"),
        (lambda t: csat.complaint_changes(t, "2026Q1", "2026Q2", by="period"), OptionError, r"leave their column out"),
        (lambda t: csat.before_after(t, t, {}), OptionError, r"takes a result of gaps and one of complaint_changes"),
    ],
)
def test_wrong_arguments_are_refused(file, call, error, said):
    with pytest.raises(error, match=said):
        call(file(COUNTS))


def test_unknown_customers_of_a_comparison_have_a_remedy(file):
    table = file("cause,period,complaints\na,1,5\na,2,7\n")
    with pytest.raises(OptionError, match=r"customers=\{'1': 1, '2': 1\} says that they are equally many"):
        csat.complaint_changes(table, "1", "2")
    assert csat.complaint_changes(table, "1", "2", customers={"1": 1, "2": 1}).estimates.estimate[0] == 1.4


@pytest.mark.parametrize(
    ("found", "note"),
    [
        (lambda: csat.audits(pd.DataFrame({"criterion": ["p"], "full_marks": [5], "score": [4]})), "one visit or site"),
        (
            lambda: csat.audits(pd.DataFrame({"criterion": "p", "full_marks": 5, "score": 4, "site": ["a", "b", "c"]})),
            "the same in all visits",
        ),
        (lambda: csat.complaints(pd.DataFrame({"cause": ["a"]})), "the number of customers is not known"),
        (lambda: csat.sla(pd.DataFrame({"step": ["s"], "hours": [3]}), {}), "no time limit given"),
    ],
)
def test_what_cannot_be_computed_says_why(found, note):
    tidy = found().tidy()
    assert tidy["note"].iloc[0].startswith(note)
    assert np.isnan(tidy["low"].iloc[0])


def test_quantiles_that_are_not_reached_say_why():
    few = csat.sla(pd.DataFrame({"step": "s", "hours": [1.0, 2, 3, 4, 5, 6, 7, 8]}), {"s": 24})
    assert few.tidy()["note"].tolist() == ["too few cases for both ends of the interval"]
    assert np.isnan(few.tidy()["ninety_high"]).all() and few.tidy()["median_low"].notna().all()
    table = pd.DataFrame({"step": "s", "hours": range(1, 41), "open": [False] * 10 + [True] * 30})
    found = csat.sla(table, {"s": 5})
    assert found.tidy()["note"].tolist() == ["too many cases are still open"]
    assert "Too many cases are still open." in repr(csat.table(found))


def test_an_open_case_counts_by_its_age():
    table = pd.DataFrame({"step": "fix", "start": ["2026-07-01", "2026-07-01", "2026-07-03"],
                          "end": ["2026-07-01 20:00", None, None]})  # fmt: skip
    found = csat.sla(table, {"fix": 24}, as_of="2026-07-03 12:00")
    assert (found.over[0], found.open_over[0], found.open_within[0]) == (1, 1, 1)
    assert (found.least[0], found.most[0]) == (1 / 3, 2 / 3)
    with pytest.raises(OptionError, match="as_of is a moment with the year first"):
        csat.sla(table, {"fix": 24}, as_of="yesterday")
    with pytest.raises(CsatError, match=r"column 'start': the case begins after as_of"):
        csat.sla(table, {"fix": 24}, as_of="2026-07-02")


def test_chinese_workbooks_are_read(tmp_path):
    table = pd.DataFrame({"投诉原因": ["修障", "资费"], "投诉量": [30, 10], "客户数": [5000, 5000]})
    table.to_excel(tmp_path / "投诉.xlsx", index=False)
    assert csat.complaints(tmp_path / "投诉.xlsx").estimates.estimate.tolist() == [6, 2, 8]
    steps = pd.DataFrame({"环节": ["派单"] * 2, "开始时间": ["2026年7月1日 08:00", "2026/7/1 9:00"],
                          "完成时间": ["2026年7月1日 11:00", "2026/7/1 9:30"], "时限": [2, 2]})  # fmt: skip
    steps.to_excel(tmp_path / "时限.xlsx", index=False)
    assert csat.sla(tmp_path / "时限.xlsx").estimates.estimate.tolist() == [0.5]


def test_changes_stand_side_by_side():
    rng = np.random.default_rng(1)
    frame = pd.DataFrame(
        {"t": ["1"] * 400 + ["2"] * 400, "a": np.r_[rng.integers(4, 8, 400), rng.integers(6, 10, 400)]}
    )
    changes = csat.complaint_changes(
        pd.DataFrame({"cause": ["bill", "net"] * 2, "period": ["1", "1", "2", "2"], "complaints": [90, 40, 40, 44]}),
        "1", "2", customers={"1": 1, "2": 1},
    )  # fmt: skip
    gaps = csat.gaps(_survey(frame), by="t", own="2", against="1")
    found = csat.before_after(gaps, changes, {"bill": "a", "net": "a"})
    assert found.tidy()["finding"].tolist() == ["both better", "satisfaction better"]
    assert found.glance()["both_better"].tolist() == [1]
    with pytest.raises(UnknownColumnError, match="No column 'zz' in the gaps"):
        csat.before_after(gaps, changes, {"bill": "zz"})
    turned = csat.gaps(_survey(frame), by="t", own="1", against="2")
    with pytest.raises(OptionError, match=r"The gaps are of '1' against '2', the complaints the other way round"):
        csat.before_after(turned, changes, {"bill": "a"})


def _survey(frame):
    from csat.questionnaire.tables import questionnaire_from

    asked = questionnaire_from({
        "study": {"name": "s", "index": "all"}, "scales": {"ten": {"low": 1, "high": 10}},
        "items": {"a": {"scale": "ten"}}, "dimensions": {"all": {"children": ["a"]}},
        "columns": {"t": {"kind": "category"}},
    })  # fmt: skip
    return csat.read_survey(frame, asked)


@pytest.mark.parametrize(("minutes", "limit"), [(6, 0.1), (12, 0.2), (72, 1.2), (20, 1 / 3)])
def test_a_case_of_exactly_its_limit_keeps_it(minutes, limit):
    start = pd.Series(pd.date_range("2026-07-01 08:00", periods=600, freq="7min"))
    table = pd.DataFrame({"step": "fix", "start": start, "end": start + pd.Timedelta(minutes=minutes)})
    assert csat.sla(table, {"fix": limit}).over[0] == 0
    later = table.assign(end=table["end"] + pd.Timedelta(seconds=1))
    assert csat.sla(later, {"fix": limit}).over[0] == 600


def test_a_case_that_ended_after_as_of_is_refused():
    table = pd.DataFrame({"step": "fix", "start": ["2026-07-01", "2026-07-01"], "end": ["2026-07-04", None]})
    assert csat.sla(table, {"fix": 24}, as_of="2026-07-04").open_over[0] == 1
    with pytest.raises(CsatError, match=r"row 0, column 'end': the case ended after as_of"):
        csat.sla(table, {"fix": 24}, as_of="2026-07-03")


def test_moments_on_two_clocks_are_refused():
    start, end = pd.to_datetime(["2026-07-01 00:05"]), pd.to_datetime(["2026-07-01 08:05"])
    both = {"step": ["fix"], "start": start.tz_localize("UTC")}
    for other, zone in ((end, "none"), (end.tz_localize("Asia/Shanghai"), "Asia/Shanghai")):
        with pytest.raises(CsatError, match=rf"different time zones \('start' in UTC, 'end' in {zone}\)"):
            csat.sla(pd.DataFrame({**both, "end": other}), {"fix": 4})
    assert csat.sla(pd.DataFrame({**both, "end": end.tz_localize("UTC")}), {"fix": 4}).over[0] == 1
    assert csat.sla(pd.DataFrame({**both, "end": [None]}), {"fix": 4}).open_within[0] == 1


def test_a_total_without_its_criteria_is_refused(file):
    table = file("site,criterion,full_marks,score\nx,p,10,8\nx,q,5,5\nall,合计,15,3\n")
    with pytest.raises(CsatError, match=r"row 4, column 'criterion': a total of a visit of which the table has no"):
        csat.audits(table)


def test_more_complaints_than_can_be_counted_are_refused():
    table = pd.DataFrame({"cause": ["a"] * 2, "period": ["1", "2"], "complaints": [2**53 - 1, 2**53], "customers": 5})
    with pytest.raises(CsatError, match=r"1\.8e\+16 complaints in all; beyond 9e\+15 they are not exact"):
        csat.complaint_changes(table, "1", "2")


def test_a_branch_that_vanishes_is_not_a_change():
    table = pd.DataFrame({"cause": "a", "branch": ["x", "y", "x"], "period": ["1", "1", "2"],
                          "complaints": [100, 10, 100], "customers": [1000, 9000, 1000]})  # fmt: skip
    with pytest.raises(CsatError, match=r"y has no rows in 2, so that its customers would be missing there"):
        csat.complaint_changes(table, "1", "2")
    full = pd.concat([table, table[1:2].assign(period="2", complaints=0)])
    assert csat.complaint_changes(full, "1", "2").estimates.estimate[0] == pytest.approx(10 / 11)
