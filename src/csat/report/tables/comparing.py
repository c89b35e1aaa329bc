"""Tables about several structural models: comparisons, measurement invariance, what a change would bring."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from csat.report.jupyter import Table
from csat.report.names import Names
from csat.report.tables.cells import Show, describe, interval, objects, only_where
from csat.report.tables.structural import chance_of, kind_of, relation_of
from csat.report.words import Word, words

if TYPE_CHECKING:
    from csat.structural import Comparison, EqualityTests, Invariance, LatentMeans, Modifications

N = ("n",)
#: Modification indices that a table shows.
MOST = 25
#: Indices of a comparison.
INDICES = ("cfi", "rmsea", "srmr")


def comparison(result: Comparison, names: Names) -> Table:
    """Fit of each model, and its test against the one above."""
    frame = _with_changes(result.tidy(), result.scaled).assign(n=result.measures[0].n)
    shows = [
        Show("model"),
        *_fits(frame),
        Show("aic", "statistic", N),
        Show("bic", "statistic", N),
        *_tests(),
        *_changes(INDICES[:2]),
    ]
    notes = [Word("note.model_above"), _method(result.method), Word("note.changes"), *_robust_changes(result.tidy())]
    return describe("comparison", Word("title.comparison"), frame, shows, names, notes=notes, label="model")


def invariance(result: Invariance, names: Names) -> Table:
    """Fit of each step, its test against the step before, and a verdict."""
    frame = _with_changes(result.tidy(), result.comparison.scaled).assign(n=result.fits[0].measures.n)
    frame["step"] = objects([Word(f"step.{step}") for step in result.steps])
    frame["verdict"] = objects([Word(f"invariant.{verdict}") for verdict in result.verdicts])
    shows = [
        Show("step", heading=Word("column.invariance_step")),
        *_fits(frame),
        *_tests(),
        *_changes(INDICES),
        Show("verdict", base=N),
    ]
    hidden = names.bases.judge(result.fits[0].measures.n).hidden
    notes = [
        *([] if hidden else _reached(result, names)),
        _method(result.comparison.method),
        Word("note.invariance", _limits(result)),
        *_robust_changes(result.tidy()),
        *([Word("note.invariance_ordered")] if result.ordered else []),
    ]
    title = Word("title.invariance", {"by": names.running(result.group)})
    return describe("invariance", title, frame, shows, names, notes=notes, label="step")


def _with_changes(frame: pd.DataFrame, scaled: Sequence[Any]) -> pd.DataFrame:
    """Robust indices and changes in the place of the plain ones, and the corrected χ², where they are."""
    changes = [f"delta_{key}" for key in ("cfi", "rmsea")] if _robust(frame) else []
    levels = {
        key: np.array([getattr(one, f"{key}_robust", np.nan) for one in scaled], float) for key in ("cfi", "rmsea")
    }
    frame = frame.assign(**{key: value for key, value in levels.items() if changes and np.isfinite(value).all()})
    corrected = {"chisq": frame["chisq_scaled"]} if frame["chisq_scaled"].notna().all() else {}
    made = frame.assign(**{key: frame[f"{key}_robust"] for key in changes}, **corrected)
    # The first model has none above it: its cells stay empty.
    later = pd.Series(np.arange(len(frame)) > 0, frame.index)
    names = [str(name) for name in made]
    of_change = [name for name in names if name in ("chisq_diff", "df_diff", "p") or name.startswith("delta_")]
    return made.assign(**{name: only_where(later, made[name]) for name in of_change})


def _robust(frame: pd.DataFrame) -> bool:
    """Whether all changes of the robust indices are there."""
    return all(key in frame and frame[key][1:].notna().all() for key in ("delta_cfi_robust", "delta_rmsea_robust"))


def _fits(frame: pd.DataFrame) -> list[Show]:
    scaled = frame["chisq_scaled"].notna().all()
    heading = Word("column.chisq_scaled" if scaled else "column.chisq")
    indices = [Show(key, "estimate", N, Word(f"fit.{key}")) for key in INDICES]
    return [Show("chisq", "statistic", N, heading), Show("df", "count", (), Word("column.df")), *indices]


def _tests() -> list[Show]:
    return [Show("chisq_diff", "statistic", N), Show("df_diff", "count"), Show("p", "p_value", N)]


def _changes(keys: Sequence[str]) -> list[Show]:
    return [Show(f"delta_{key}", "estimate", N) for key in keys]


def _robust_changes(frame: pd.DataFrame) -> list[Word]:
    return [Word("note.robust_changes")] if _robust(frame) else []


def _method(method: str) -> Word:
    return Word(f"note.difference_{method.replace('-', '_')}")


def _limits(result: Invariance) -> dict[str, Any]:
    """The usual limits of the changes, as they are written; that of SRMR is wider at the metric step."""
    tidy = result.tidy().iloc[1:]
    found = {key: f"{abs(float(tidy[f'cut_{key}'].iloc[-1])):.3f}" for key in INDICES}
    first = f"{float(tidy['cut_srmr'].iloc[0]):.3f}"
    if first == found["srmr"]:
        return found
    return found | {"srmr": Word("note.srmr_limits", {"first": first, "last": found["srmr"]})}


def _reached(result: Invariance, names: Names) -> list[Word]:
    """How far invariance reaches, what breaks it, what was left free."""
    said = [
        Word("note.reached", {"step": Word(f"step.{result.reached}")}) if result.reached else Word("note.none_reached")
    ]
    suspect = str(result.glance()["suspect"].iloc[0])
    if result.broken and suspect:
        said.append(Word("note.suspect", {"step": Word(f"step.{result.broken}"), "relation": _written(suspect, names)}))
    if result.partial:
        listed = names.listed([_written(relation, names) for relation in result.partial])
        said.append(Word("note.partial", {"listed": listed}))
    return said


def _written(relation: str, names: Names) -> str:
    """A relation such as "visual =~ x3" with the texts of its ends; of a lone variable what it is of it."""
    for op in ("=~", "<~", "~~", "~1", "~"):
        lhs, sign, rhs = (part.strip() for part in relation.partition(op))
        if sign:
            kind, said = kind_of(op, lhs == rhs), relation_of(lhs, op, rhs, names)
            lone = kind in ("intercept", "variance")
            return words(names.lang).say(Word(f"note.{kind}_of", {"name": said})) if lone else said
    return relation


def latent_means(result: LatentMeans | Invariance, names: Names, *, by: str | None = None) -> Table:
    """Differences of the means of constructs between groups, in their units and in standard deviations."""
    from csat.structural import Invariance

    if isinstance(result, Invariance):
        return latent_means(result.latent_means(), names, by=result.group)
    frame = result.tidy().assign(n=result.estimates.n)
    frame["term"] = [names.construct(code) for code in frame.pop("construct")]
    for side in ("group", "against"):
        frame[side] = [names.category(value) if by is None else names.value(by, value) for value in frame[side]]
    level = result.estimates.level
    effect = [Show(f"effect_{end}", "score", N, Word(f"column.{end}", {"level": level})) for end in ("low", "high")]
    shows = [
        Show("term", heading=Word("column.construct")),
        Show("group"),
        Show("against"),
        Show("estimate", "score", N, Word("column.difference")),
        Show("se", "score", N),
        *interval(level, N),
        Show("p", "p_value", N),
        Show("p_holm", "p_value", N, Word("column.adjusted_p")),
        Show("effect", "score", N, Word("column.in_sd")),
        *effect,
        Show("n", "count"),
    ]
    notes = [Word("note.latent_means"), Word("note.adjust_holm")]
    return describe("latent_means", Word("title.latent_means"), frame, shows, names, notes=notes, label="term")


def modifications(result: Modifications, names: Names) -> Table:
    """Relations that a model lacks or fixes, with what each would bring; the largest first."""
    tidy = result.tidy()
    frame = _related(tidy.head(MOST), names)
    frame["decision"] = objects([Word(f"decision.{decision}") for decision in frame["decision"]])
    shows = [
        *_group_of(frame),
        Show("relation"),
        Show("about", heading=Word("column.parameter")),
        Show("mi", "statistic"),
        Show("p", "p_value"),
        Show("p_holm", "p_value", heading=Word("column.adjusted_p")),
        Show("epc", "estimate"),
        Show("sepc_all", "estimate"),
        Show("power", "chance"),
        Show("decision"),
    ]
    counted = {str(name): float(value) for name, value in result.glance().iloc[0].items()}
    notes = [
        Word("note.modification"),
        Word("note.modification_count", counted),
        Word("note.modification_decision", {"delta": result.delta}),
        *([Word("note.shown_of", {"shown": MOST, "all": len(tidy)})] if len(tidy) > MOST else []),
    ]
    return describe("modifications", Word("title.modifications"), frame, shows, names, notes=notes, label="about")


def equalities(result: EqualityTests | Invariance, names: Names) -> Table:
    """Parameters that groups share, or that bear the same label: what is gained if one may differ."""
    from csat.structural import Invariance

    if isinstance(result, Invariance):
        return equalities(result.score_tests(), names)
    frame = _related(result.tidy(), names)
    shows = [
        *_group_of(frame),
        Show("relation"),
        Show("about", heading=Word("column.parameter")),
        Show("chisq", "statistic"),
        Show("df", "count", heading=Word("column.df")),
        Show("p", "p_value"),
        Show("p_holm", "p_value", heading=Word("column.adjusted_p")),
        Show("epc", "estimate"),
        Show("sepc_all", "estimate"),
    ]
    together = result.glance().iloc[0]
    blanks: dict[str, Any] = {name: float(together[name]) for name in ("equalities", "chisq", "df")}
    blanks["p"] = chance_of(float(together["p"]), names)
    notes = [Word("note.equalities"), *([Word("note.equalities_together", blanks)] if together["df"] else [])]
    return describe("equalities", Word("title.equalities"), frame, shows, names, notes=notes, label="about")


def _related(frame: pd.DataFrame, names: Names) -> pd.DataFrame:
    """The frame with its relations in words."""
    triples = list(zip(frame["lhs"], frame["op"], frame["rhs"], strict=True))
    return frame.assign(
        relation=objects([Word(f"relation.{kind_of(op, lhs == rhs)}") for lhs, op, rhs in triples]),
        about=objects([relation_of(lhs, op, rhs, names) for lhs, op, rhs in triples]),
        group=[names.category(group) if group else "" for group in frame["group"]],
    )


def _group_of(frame: pd.DataFrame) -> list[Show]:
    return [Show("group")] if (frame["group"] != "").any() else []
