"""One rule for small bases, asked by tables, charts, cards and workbooks."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pytest

import csat
from csat.bases import Base, Bases
from csat.errors import OptionError
from csat.report.cards import headline
from csat.report.names import Names
from csat.results import Estimates


@pytest.mark.parametrize(
    ("n", "verdict"),
    [(0, Base.SUPPRESSED), (29, Base.SUPPRESSED), (30, Base.SMALL), (99, Base.SMALL), (100, Base.ENOUGH)],
)
def test_the_usual_limits_are_30_and_100(n, verdict):
    assert Bases().judge(n) is verdict


def test_a_published_figure_without_a_base_is_not_a_small_one():
    assert Bases().judge(np.nan) is Base.ENOUGH


@pytest.mark.parametrize(("suppress", "flag"), [(-1, 100), (30, 20), (30.5, 100), (True, 100), ("30", 100)])
def test_limits_that_make_no_sense_are_refused(suppress, flag):
    with pytest.raises(OptionError, match="bases: "):
        Bases(suppress, flag)


@pytest.mark.parametrize(
    ("sizes", "verdicts"),
    [
        ([250, 12, 58], ["enough", "suppressed", "withheld"]),
        ([250, 12, 9], ["enough", "suppressed", "suppressed"]),
        ([250, 0, 58], ["enough", "suppressed", "small"]),
        ([12], ["suppressed"]),
        ([250, 200], ["enough", "enough"]),
        ([250, 58, 12, 58], ["enough", "withheld", "suppressed", "withheld"]),
    ],
)
def test_one_hidden_group_is_never_alone(sizes, verdicts):
    """With the total and the other groups shown, a single hidden group could be worked out."""
    assert [base.value for base in Bases().judge_groups(sizes)] == verdicts


LAW = """
[study]
name = "law"
index = "top"
[scales.ten]
low = 1
high = 10
[items]
a = { scale = "ten" }
b = { scale = "ten" }
[dimensions.top]
children = ["a", "b"]
[bases]
suppress = 8
flag = 16
"""


@pytest.mark.parametrize("seed", range(25))
def test_what_one_place_withholds_no_other_shows(tmp_path, seed):
    """Standing, its sentences, the table of groups, its letters and its chart, the league: one set of groups."""
    import matplotlib.pyplot as plt

    from csat.report import apart, standing
    from csat.report.overview import league
    from csat.report.plots.index import groups as groups_chart
    from csat.report.tables.cells import judge_rows
    from csat.report.tables.standing import shown_groups

    (tmp_path / "study.toml").write_text(LAW, encoding="utf-8")
    rng = np.random.default_rng(seed)
    sizes = rng.choice([3, 5, 9, 9, 12, 20, 40], rng.integers(3, 7))
    names = [f"g{i}x" for i in range(len(sizes))]
    data = pd.DataFrame(rng.integers(1, 11, (sizes.sum(), 2)), columns=["a", "b"])
    data["branch"] = np.repeat(names, sizes)
    survey = csat.read_survey(data, csat.read_questionnaire(tmp_path / "study.toml"))
    asked, by = survey.questionnaire, csat.index(survey, by="branch")
    small = [name for name, size in zip(names, sizes, strict=True) if size < 8]
    rest = {name: size for name, size in zip(names, sizes, strict=True) if size >= 8}
    alone = [name for name, size in rest.items() if len(small) == 1 and size == min(rest.values())]
    wanted = {*small, *alone}

    for kind in ("standing", "groups"):
        table = csat.table(by, "en", asked, kind=kind)
        at = {column.name: i for i, column in enumerate(table.columns)}
        shut = {row[at["branch"]].value for row in table.rows if row[at["estimate"]].value is None}
        assert shut == wanted, kind
        if "letter" in at:
            assert {row[at["branch"]].value for row in table.rows if not row[at["letter"]].value} == wanted, kind
    assert set(names) - set(shown_groups(by, Names("en", asked))["branch"]) == wanted
    ax = groups_chart(by, Names("en", asked), None)
    dots = [float(line.get_xdata()[0]) for line in ax.lines if line.get_marker() == "o"]
    tops = by.tidy().query("kind == 'index'").set_index("branch")["estimate"]
    assert sorted(dots) == pytest.approx(sorted(tops[[name for name in names if name not in wanted]]))
    plt.close("all")
    for own in (None, *names):
        said = [s for s in standing(by, "en", asked, own=own).sentences if not s.startswith("Too few")]
        figures = [s for s in said if "read with care" not in s]
        assert not [name for name in wanted for s in figures if name in s], own
    told = [s for s in apart(by, "en", asked).sentences if not s.startswith("Too few")]
    assert not [name for name in wanted for s in told if name in s]
    if len(names) - len(wanted) >= 3:
        assert set(names) - set(league(survey, "branch").estimates.keys["branch"]) == wanted
    tidy = by.tidy()
    judged = judge_rows(tidy, ("n",), ["branch"], asked.bases)
    assert {g for g, base in zip(tidy["branch"], judged, strict=True) if base.hidden} == wanted


@dataclass(frozen=True)
class OwnLimits:
    """A questionnaire that sets limits of its own."""

    bases = Bases(60, 70)

    def text(self, code, lang):
        return code

    def value_text(self, column, value, lang):
        return value


def test_limits_of_a_study_are_obeyed(index):
    assert Names("en", OwnLimits()).bases == Bases(60, 70)
    text = repr(csat.table(index, names=OwnLimits()))
    assert "68.22" in text
    assert "61.50" not in text and "Fewer than 60 respondents" in text


def only(index, groups):
    """The estimates of some groups alone."""
    rows = [i for i, group in enumerate(index.estimates.keys["brand"]) if group in groups]
    inner = index.estimates
    keys = {name: tuple(column[i] for i in rows) for name, column in inner.keys.items()}
    kept = Estimates(
        tuple(inner.term[i] for i in rows), inner.estimate[rows], inner.vcov[np.ix_(rows, rows)], inner.df,
        inner.n[rows], inner.n_eff[rows], inner.unit, inner.provenance, inner.level, inner.null, keys,
    )  # fmt: skip
    return replace(index, estimates=kept, sd=index.sd[rows])


def test_a_table_and_a_chart_withhold_the_next_smallest_group(index, asked):
    import matplotlib.pyplot as plt

    three = only(index, ("g", "m", "e"))
    table = csat.table(three, names=asked)
    assert table.rows[3][2].value is None
    assert "would give away" in table.say(table.rows[3][2].note)
    axes = csat.plot(three, names=asked)
    assert [float(line.get_xdata()[0]) for line in axes.lines if line.get_marker() == "o"] == [68.224]
    assert "1 withheld" in axes.get_xlabel()
    plt.close("all")


CLASH = """
[study]
name = "clash"
index = "all"
[scales.ten]
low = 1
high = 10
[items]
a = { scale = "ten" }
b = { scale = "ten" }
[dimensions.all]
children = { value = 0.5, low = 0.5 }
[dimensions.value]
children = ["a"]
[dimensions.low]
children = ["b"]
"""


def test_a_dimension_called_like_a_column_gives_nothing_away(tmp_path):
    (tmp_path / "study.toml").write_text(CLASH, encoding="utf-8")
    rng = np.random.default_rng(5)
    data = pd.DataFrame(rng.integers(1, 11, (200, 2)), columns=["a", "b"])
    data["brand"] = np.repeat(["x", "y", "z"], [100, 90, 10])
    survey = csat.read_survey(data, csat.read_questionnaire(tmp_path / "study.toml"))
    index = csat.index(survey, by="brand")
    table = csat.table(index, "en", survey.questionnaire, kind="groups")
    columns = [column.name for column in table.columns]
    shown = {row[0].value: dict(zip(columns, row, strict=True)) for row in table.rows}
    wanted = index.tidy().set_index(["brand", "term"])
    for column, term in (("estimate", "all"), ("node value", "value"), ("node low", "low")):
        assert shown["x"][column].value == wanted.loc[("x", term), "estimate"]
        assert shown["y"][column].value is None and shown["z"][column].value is None
    assert shown["x"]["low"].value == wanted.loc[("x", "all"), "low"]


@pytest.mark.parametrize(("name", "kinds"), [
    ("regression", (None,)), ("importance", (None,)), ("stepwise", ("steps", "final", "excluded")),
    ("sem", ("parameters", "paths", "loadings", "fit")),
])  # fmt: skip
def test_a_model_on_too_few_respondents_is_not_shown(results, study, name, kinds):
    import matplotlib.pyplot as plt

    few = fitted_to(results[name], 20)
    for kind in kinds:
        table = csat.table(few, names=study, kind=kind)
        figures = [
            c.value for row in table.rows for c in row if isinstance(c.value, float) and not c.value.is_integer()
        ]
        assert not figures, "counts are all that may remain"
        assert "fewer than 30: not shown" in repr(table)
        assert "R² =" not in repr(table)
    axes = csat.plot(few, names=study)
    assert not [line for line in axes.lines if len(line.get_xdata())] and not axes.patches
    plt.close("all")


def fitted_to(result, n):
    if hasattr(result, "measures"):
        return replace(result, measures=replace(result.measures, n=n))
    if hasattr(result, "selected"):
        return replace(result, n=n, final=replace(result.final, n=n))
    if hasattr(result, "share"):
        return replace(result, estimates=replace(result.estimates, n=result.estimates.n * 0 + n))
    return replace(result, n=n)


def test_a_card_obeys_too(whole, asked):
    few = replace(whole, estimates=replace(whole.estimates, n=whole.estimates.n * 0 + 20))
    assert "68.2" not in headline(few, names=asked)._repr_html_()


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
    assert "2项未显示：样本不足30人" in axes.get_xlabel()
    assert "空心：样本为30至99人" in axes.get_xlabel()
    drawn = [float(line.get_xdata()[0]) for line in axes.lines if line.get_marker() == "o"]
    assert sorted(drawn) == [61.5, 68.224]
    plt.close("all")
