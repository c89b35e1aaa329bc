"""One rule for small bases, asked by tables, charts and workbooks."""

from dataclasses import replace

import numpy as np
import pytest

import csat
from csat.report.base import Base, judge


@pytest.mark.parametrize(
    ("n", "verdict"),
    [(0, Base.SUPPRESSED), (29, Base.SUPPRESSED), (30, Base.SMALL), (99, Base.SMALL), (100, Base.ENOUGH)],
)
def test_the_limits_are_30_and_100(n, verdict):
    assert judge(n) is verdict


def test_a_published_figure_without_a_base_is_not_a_small_one():
    assert judge(np.nan) is Base.ENOUGH


def test_a_table_hides_and_marks_small_groups(index, asked):
    table = csat.table(index, names=asked)
    column = [column.name for column in table.columns].index("estimate")
    large, small, hidden = (table.rows[row][column] for row in (0, 3, 6))
    assert large.value == 68.224
    assert large.note is None
    assert small.value == 61.5
    assert "30 to 99" in table.say(small.note)
    assert hidden.value is None
    assert "Fewer than 30" in table.say(hidden.note)
    for output in (repr(table), table._repr_html_(), str(table.to_dict())):
        assert "99.0" not in output
        assert "100.0" not in output


def test_every_figure_of_a_hidden_row_is_hidden_but_not_its_base(index, asked):
    table = csat.table(index, names=asked)
    shown = {
        column.name: cell.value
        for column, cell in zip(table.columns, table.rows[6], strict=True)
        if column.kind != "text" and cell.applies and not cell.missing
    }
    assert shown == {"n": 12}


def test_a_figure_without_answers_gives_its_own_reason(index, asked):
    table = csat.table(index, names=asked)
    column = [column.name for column in table.columns].index("estimate")
    assert table.say(table.rows[2][column].note) == "No valid answers."


def test_a_gap_rests_on_the_smaller_base(results):
    gaps = results["gaps"]
    n_peer = np.where(np.arange(len(gaps.n_peer)) == 0, 20, gaps.n_peer)
    table = csat.table(replace(gaps, n_peer=n_peer))
    first = {column.name: cell for column, cell in zip(table.columns, table.rows[0], strict=True)}
    assert first["own"].value == gaps.own[0]
    assert first["peer"].value is None
    assert first["estimate"].value is None
    assert first["verdict"].value == ""


def test_a_published_gap_table_has_no_bases_and_is_shown():
    import pandas as pd

    printed = pd.DataFrame({"gansu": [71.73, 62.99], "xian": [87.20, 57.70]}, index=["network", "complaints"])
    table = csat.table(csat.gaps(printed, against="xian"))
    row = {column.name: cell for column, cell in zip(table.columns, table.rows[0], strict=True)}
    assert "n" not in row
    assert "adjusted_p" not in row
    assert row["estimate"].value == pytest.approx(-15.47)
    assert table.say(row["low"].note) == "Published without a standard deviation: no interval."


def test_a_chart_leaves_small_groups_out_and_says_so(index, asked):
    import matplotlib.pyplot as plt

    axes = csat.plot(index, names=asked, lang="zh")
    assert "1项未显示：样本不足30人" in axes.get_xlabel()
    assert "空心：样本为30至99人" in axes.get_xlabel()
    drawn = [float(line.get_xdata()[0]) for line in axes.lines if line.get_marker() == "o"]
    assert sorted(drawn) == [61.5, 68.224]
    plt.close("all")
