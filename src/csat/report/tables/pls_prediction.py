"""Tables of path models of composites: errors of their predictions, and effects that depend on another construct."""

from __future__ import annotations

from typing import TYPE_CHECKING

from csat.report.format import signed
from csat.report.jupyter import Table
from csat.report.names import Names
from csat.report.tables.cells import Show, describe, group_shows, interval, objects
from csat.report.tables.model import sample_notes
from csat.report.tables.pls_groups import construct_text, errors_notes
from csat.report.words import Word

if TYPE_CHECKING:
    from csat.composites import Prediction, Slopes

N = ("n",)


def errors(result: Prediction, names: Names) -> Table:
    """RMSE and MAE of every predicted item by the path model and by the linear model, and Q²."""
    frame = result.tidy().assign(
        n=result.n,
        construct=[construct_text(code, names) for code in result.constructs],
        item=names.codes(list(result.items)),
    )
    shows = [
        Show("construct"),
        Show("item"),
        *(
            Show(f"{model}{measure}", "estimate", N, Word(f"column.{measure}_of", {"model": _of(model)}))
            for measure in ("rmse", "mae")
            for model in ("", "linear_")
        ),
        Show("q2", "estimate", N),
    ]
    hidden = names.bases.judge(result.n).hidden
    notes = [
        *([] if hidden else [_counted(result)]),
        Word("note.prediction"),
        *how(result),
        *_bases(result, names),
    ]
    return describe("prediction", Word("title.prediction"), frame, shows, names, notes=notes, label="item")


def cvpat(result: Prediction, names: Names) -> Table:
    """Losses of the path model less those of the two benchmarks, construct by construct, with their tests."""
    frame = result.cvpat()
    frame = frame.assign(n=result.differences.n, construct=objects(constructs_of(result, names)))
    frame["benchmark"] = objects([Word(f"predictor.{name}") for name in frame["benchmark"]])
    shows = [
        Show("construct"),
        Show("benchmark"),
        Show("loss", "estimate", N),
        Show("benchmark_loss", "estimate", N),
        Show("difference", "estimate", N),
        Show("se", "estimate", N),
        *interval(result.differences.level, N, "estimate"),
        Show("p", "p_value", N),
        Show("n", "count"),
    ]
    notes = [Word("note.cvpat"), *how(result), *_bases(result, names), Word("note.se_prediction")]
    return describe("cvpat", Word("title.cvpat"), frame, shows, names, notes=notes, label="construct")


def constructs_of(result: Prediction, names: Names) -> list[Word | str]:
    """Names of the rows of the tests: constructs, and all items together."""
    codes = result.differences.keys["construct"]
    return [
        Word("predictor.overall") if code == "overall" and at % len(result.groups) == len(result.groups) - 1
        else construct_text(code, names)
        for at, code in enumerate(codes)
    ]  # fmt: skip


def how(result: Prediction) -> list[Word]:
    """What was predicted from what, and how respondents were shared out."""
    shared = {"folds": result.folds, "repeats": result.repeats, "seed": result.seed}
    key = "folds_loo" if result.folds == "loo" else "folds" if result.repeats == 1 else "folds_repeated"
    folds = Word(f"note.{key}", {} if result.folds == "loo" else shared)
    return [folds, Word(f"note.antecedents_{result.antecedents}"), Word(f"note.benchmark_{result.benchmark}")]


def _of(model: str) -> Word:
    return Word("predictor.linear" if model else "predictor.pls")


def _counted(result: Prediction) -> Word:
    about = result.glance().iloc[0]
    return Word(
        "note.prediction_counts", {name: int(about[name]) for name in ("items", "items_better", "items_positive")}
    )


def _bases(result: Prediction, names: Names) -> list[Word]:
    lost = [Word("note.unpredicted", {"count": result.unpredicted})] if result.unpredicted else []
    return [*sample_notes(result.n, result.left_out, names.bases), *lost]


def slopes(result: Slopes, names: Names) -> Table:
    """Effect of a construct at values of its moderator."""
    found = result.estimates
    groups = groups_of_slopes(result)
    frame = result.tidy().assign(
        n=found.n,
        outcome=[construct_text(code, names) for code in found.keys["outcome"]],
        at=objects([at_word(value) for value in found.keys["at"]]),
        **{name: names.values(name, list(found.keys[name])) for name in groups},
    )
    shows = [
        *group_shows(groups, names),
        Show("outcome"),
        Show("at", heading=Word("column.at", {"moderator": construct_text(result.moderator, names)})),
        Show("estimate", "estimate", N, Word("column.effect_on", {"of": construct_text(result.of, names)})),
        Show("se", "estimate", N),
        *interval(found.level, N, "estimate"),
        Show("p", "p_value", N),
        Show("n", "count"),
    ]
    notes = [Word("note.slopes"), *errors_notes(found.provenance.variance)]
    return describe("slopes", title_of_slopes(result, names), frame, shows, names, notes=notes, label="at")


def groups_of_slopes(result: Slopes) -> list[str]:
    """Grouping columns of slopes."""
    return [name for name in result.estimates.keys if name not in ("outcome", "of", "moderator", "at")]


def title_of_slopes(result: Slopes, names: Names) -> Word:
    """Whose effect depends on what."""
    return Word(
        "title.slopes",
        {"of": construct_text(result.of, names), "moderator": construct_text(result.moderator, names)},
    )


def at_word(value: float) -> Word:
    """A value of the moderator in words."""
    if value == 0:
        return Word("slope.mean")
    return Word("slope.at", {"by": signed(value, "plain")})
