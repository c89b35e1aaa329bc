"""Tables of a path model of composites: paths, constructs, items, cross-loadings and effects, group by group."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from csat.report.format import number
from csat.report.jupyter import Table
from csat.report.names import Names
from csat.report.remarks import remark
from csat.report.tables.cells import Show, describe, group_shows, interval, objects, only_where
from csat.report.tables.model import sample_notes
from csat.report.tables.pls_groups import (
    construct_text,
    errors_notes,
    group_label,
    kind_word,
    relation_text,
    units_word,
)
from csat.report.words import Word

if TYPE_CHECKING:
    from csat.composites import Pls

N = ("n",)
#: Figures of constructs that items of one cause have and items that form a composite do not.
OF_SCALES = ("ave", "alpha", "rho_a", "rho_c")
#: A remark on one of several groups.
OF_GROUP = re.compile(r"In group (?P<label>'.*?'|\".*?\"):? (?P<note>.+)$", re.DOTALL)
#: An item and its construct, with its loading; that a list goes on.
LOADED = re.compile(r"(?:^|, )(?P<item>.+?) \((?P<owner>.+?): (?P<value>-?[\d.]+)\)")
MORE = re.compile(r", \+\d+$")


def paths(result: Pls, names: Names) -> Table:
    """Paths with their intervals, effect sizes f² and variance inflation."""
    frame = figures_of(result, ("path",), names)
    for name, square in (("f2", result.f2), ("vif", result.vif)):
        found = {domain: square(domain or None) for domain in result.domains}
        frame[name] = [_cell(found[domain], lhs, rhs) for domain, lhs, rhs in _ends(frame)]
    shows = [
        *group_shows(result.by, names),
        Show("about", heading=Word("relation.path")),
        *with_interval("estimate", result),
        *([Show("p", "p_value", N)] if result.draws is not None else []),
        Show("f2", "estimate", N),
        Show("vif", "score", N),
        *size_of_groups(result),
    ]
    notes = [Word("note.pls_paths"), *notes_of(result, names)]
    return describe("pls_paths", Word("title.pls_paths"), frame, shows, names, notes=notes, label="about")


def effects(result: Pls, names: Names) -> Table:
    """Total effects, and the part of each that leads through other constructs."""
    frame = figures_of(result, ("total", "indirect"), names)
    order = {key: at for at, key in enumerate(dict.fromkeys(zip(frame["domain"], frame["about"], strict=True)))}
    at = [order[key] for key in zip(frame["domain"], frame["about"], strict=True)]
    frame = frame.assign(_at=at).sort_values("_at", kind="stable").reset_index(drop=True)
    shows = [
        *group_shows(result.by, names),
        Show("about", heading=Word("column.effect_of")),
        Show("relation", heading=Word("column.effect_kind")),
        *with_interval("estimate", result),
        *([Show("p", "p_value", N)] if result.draws is not None else []),
        *size_of_groups(result),
    ]
    notes = [Word("note.pls_effects"), *notes_of(result, names)]
    return describe("pls_effects", Word("title.pls_effects"), frame, shows, names, notes=notes, label="about")


def items(result: Pls, names: Names) -> Table:
    """Weights and loadings of the items with intervals, and variance inflation among those of their construct."""
    weights = figures_of(result, ("weight",), names)
    weights = weights[weights["lhs"] != weights["rhs"]].reset_index(drop=True)
    loadings = figures_of(result, ("loading",), names)
    keys = [(domain, lhs, rhs) for domain, lhs, rhs in _ends(weights)]
    place = {key: i for i, key in enumerate(zip(*(loadings[k] for k in ("domain", "lhs", "rhs")), strict=True))}
    frame = weights.rename(columns={end: f"weight_{end}" for end in ("low", "high")} | {"estimate": "weight"})
    for name, column in (("loading", "estimate"), ("loading_low", "low"), ("loading_high", "high")):
        values = loadings[column].tolist()
        frame[name] = objects([values[place[key]] if key in place else None for key in keys])
    inflation = {
        (domain, row["construct"], row["item"]): row["vif"]
        for domain in result.domains
        for row in result.item_vif(domain or None).to_dict("records")
    }
    frame["vif"] = objects([inflation.get(key) for key in keys])
    frame["construct"] = [construct_text(lhs, names) for lhs in frame["lhs"]]
    frame["item"] = [item_text(rhs, names) for rhs in frame["rhs"]]
    shows = [
        *group_shows(result.by, names),
        Show("construct"),
        Show("item"),
        *with_interval("weight", result, "weight_", Word("relation.weight")),
        *with_interval("loading", result, "loading_", Word("relation.loading")),
        Show("vif", "score", N),
        *size_of_groups(result),
    ]
    notes = [Word("note.pls_items"), *notes_of(result, names)]
    return describe("pls_items", Word("title.pls_items"), frame, shows, names, notes=notes, label="item")


def constructs(result: Pls, names: Names) -> Table:
    """Mode, explained variance, quality and performance of every construct."""
    frame = result.constructs()
    frame = frame[~frame["construct"].isin(products_of(result))].reset_index(drop=True)
    domains = [domain for domain in result.domains for _ in range(len(frame) // len(result.domains))]
    codes = frame["construct"].tolist()
    frame = frame.assign(**_group_texts(result, domains, names))
    frame = _with_figures(frame, result, list(zip(domains, codes, strict=True)))
    formed = frame["mode"].isin(["B", "single"])
    for name in (f"{name}{end}" for name in OF_SCALES for end in ("", "_low", "_high")):
        frame[name] = only_where(~formed, frame[name])
    frame["mode"] = objects([mode_word(mode) for mode in frame["mode"]])
    frame["construct"] = [construct_text(code, names) for code in codes]
    scored = bool(np.isfinite(result.select("performance").estimate).any())
    shows = [
        *group_shows(result.by, names),
        Show("construct"),
        Show("mode"),
        Show("items", "count"),
        *with_interval("r2", result, "r2_"),
        Show("adj_r2", "estimate", N),
        *with_interval("ave", result, "ave_"),
        *(Show(name, "estimate", N) for name in OF_SCALES[1:]),
        *(with_interval("performance", result, "performance_", kind="score") if scored else []),
        *size_of_groups(result),
    ]
    notes = [
        *([Word("note.pls_formed")] if formed.any() else []),
        Word("note.pls_performance") if scored else Word("reason.no_points"),
        *notes_of(result, names),
    ]
    title = Word("title.pls_constructs")
    return describe("pls_constructs", title, frame, shows, names, notes=notes, label="construct")


def cross(result: Pls, names: Names) -> Table:
    """Correlations of every item with every composite; those that another composite exceeds are named."""
    codes = list(result.blocks.constructs)
    owners = [result.blocks.constructs[j] for j in result.blocks.block]
    parts = []
    for domain, n in zip(result.domains, result.layout.n, strict=True):
        square = result.cross_loadings(domain or None)
        part = pd.DataFrame(square.to_numpy(), columns=[f"on {code}" for code in codes])
        own = np.abs(part.to_numpy())[np.arange(len(owners)), result.blocks.block]
        for code in codes:
            higher = (np.abs(part[f"on {code}"].to_numpy()) > own).tolist()
            part[f"about on {code}"] = objects([Word("note.pls_cross_higher") if is_ else None for is_ in higher])
        said = _group_texts(result, [domain] * len(owners), names)
        parts.append(part.assign(**said, construct=[construct_text(owner, names) for owner in owners],
                                 item=[item_text(code, names) for code in square.index], n=n))  # fmt: skip
    shows = [
        *group_shows(result.by, names),
        Show("construct"),
        Show("item"),
        *(Show(f"on {code}", "score", N, construct_text(code, names)) for code in codes),
        *size_of_groups(result),
    ]
    products = [item_text(code, names) for code in products_of(result)]
    frame = pd.concat(parts, ignore_index=True)
    frame = frame[~frame["item"].isin(products)].reset_index(drop=True)
    notes = [Word("note.pls_cross"), *notes_of(result, names)]
    return describe("pls_cross", Word("title.pls_cross"), frame, shows, names, notes=notes, label="item")


def figures_of(result: Pls, kinds: Sequence[str], names: Names) -> pd.DataFrame:
    """Figures of some kinds with what they are about in words; ends and p are empty where a figure is fixed."""
    own = result.estimates
    frame = pd.DataFrame({name: list(own.keys[name]) for name in ("kind", "lhs", "rhs")})
    per = len(frame) // len(result.domains)
    low, high = own.interval
    frame = frame.assign(
        domain=objects([domain for domain in result.domains for _ in range(per)]),
        estimate=own.estimate,
        se=own.se,
        low=low,
        high=high,
        n=own.n,
        note=[str(own.unavailable.get(i, "")) for i in range(len(frame))],
    )
    frame["p"] = _chances(own)
    frame = frame[frame["kind"].isin(kinds)].reset_index(drop=True)
    for name in ("low", "high", "p"):
        frame[name] = only_where(frame["se"] != 0, frame[name])
    rows = zip(frame["kind"], frame["lhs"], frame["rhs"], strict=True)
    frame["about"] = [relation_text(*row, names) for row in rows]
    frame["relation"] = objects([kind_word(kind) for kind in frame["kind"]])
    return frame.assign(**_group_texts(result, frame["domain"].tolist(), names))


def _chances(estimates: Any) -> np.ndarray:
    from csat.distributions import two_sided_p

    return two_sided_p(estimates.statistic, estimates.df)


def _with_figures(frame: pd.DataFrame, result: Pls, keys: Sequence[tuple[tuple[str, ...], str]]) -> pd.DataFrame:
    """Add ends of intervals, respondents and reasons to a row for each construct of each group."""
    own = result.estimates
    per = len(own.term) // len(result.domains)
    low, high = own.interval
    place = {
        (result.domains[i // per], lhs, kind): i
        for i, (kind, lhs) in enumerate(zip(own.keys["kind"], own.keys["lhs"], strict=True))
    }
    sizes = dict(zip(result.domains, result.layout.n, strict=True))
    added: dict[str, Any] = {"n": [sizes[domain] for domain, _ in keys]}
    for name in ("r2", "adj_r2", *OF_SCALES, "performance"):
        at = [place.get((*key, name)) for key in keys]
        added[name] = objects([None if i is None else float(own.estimate[i]) for i in at])
        for end, values in (("low", low), ("high", high)):
            fixed = [i is None or own.se[i] == 0 for i in at]
            ends = [None if still or i is None else float(values[i]) for still, i in zip(fixed, at, strict=True)]
            added[f"{name}_{end}"] = objects(ends)
    reasons = [[own.unavailable.get(place.get((*key, name), -1)) for name in ("ave", "performance")] for key in keys]
    added["note"] = [next((str(reason) for reason in row if reason is not None), "") for row in reasons]
    return frame.assign(**added)


def products_of(result: Pls) -> frozenset[str]:
    """Products of composites: constructs without items of their own."""
    return frozenset(lhs for kind, lhs, rhs in result.layout.keys if kind == "weight" and lhs == rhs)


def item_text(code: str, names: Names) -> str:
    """Text of an item, or of a product of items."""
    return " × ".join(names.codes(code.split(":")))


def mode_word(mode: str) -> Word:
    """How a composite is made, of ``Pls.constructs()``."""
    made, _, corrected = mode.partition(", ")
    word = Word(f"mode.{made}")
    return Word("mode.corrected", {"mode": word}) if corrected else word


def with_interval(
    name: str, result: Any, prefix: str = "", heading: Word | None = None, kind: Any = "estimate"
) -> list[Show]:
    """A figure and, where there are standard errors, both ends of its interval."""
    first = Show(name, kind, N, heading)
    if getattr(result, "draws", None) is None:
        return [first]
    ends = interval(result.estimates.level)
    return [first, *(Show(f"{prefix}{end.name}", kind, N, end.heading) for end in ends)]


def size_of_groups(result: Any) -> list[Show]:
    """The respondents of each row, where there are groups; else a note says them."""
    return [Show("n", "count")] if result.by else []


def _group_texts(result: Any, domains: Sequence[tuple[str, ...]], names: Names) -> dict[str, list[str]]:
    return {name: names.values(name, [domain[i] for domain in domains]) for i, name in enumerate(result.by)}


def _ends(frame: pd.DataFrame) -> list[tuple[tuple[str, ...], str, str]]:
    return list(zip(frame["domain"], frame["lhs"], frame["rhs"], strict=True))


def _cell(square: pd.DataFrame, row: str, column: str) -> float | None:
    """A figure of a square; None where it has no such row or column."""
    return float(square.loc[row, column]) if row in square.index and column in square.columns else None  # type: ignore[arg-type]


def notes_of(result: Pls, names: Names) -> list[Word | str]:
    """Fit, doubts, who counts, how the weights came about, and how the standard errors were made."""
    return [
        fit_note(result),
        *(remark_word(note, names) for note in result.notes),
        *respondents_of(result, names),
        Word("note.pls_scheme", {"scheme": Word(f"scheme.{result.layout.settings.scheme}")}),
        *errors_of(result),
    ]


def fit_note(result: Pls) -> Word:
    """SRMR: of the model, or from the best to the worst group."""
    found = result.distances.srmr[np.isfinite(result.distances.srmr)]
    if len(found) < 2:
        return Word("note.pls_fit", {"srmr": number(float(found[0]) if len(found) else np.nan, "estimate")})
    ends = (number(float(end), "estimate") for end in (found.min(), found.max()))
    return Word("note.pls_fit_groups", dict(zip(("low", "high"), ends, strict=True)))


def respondents_of(result: Pls, names: Names) -> list[Word]:
    """Who counts, and how many belong to no group."""
    n = float(np.sum(result.layout.n))
    said = sample_notes(n, result.left_out, names.bases)
    return [*said, *([Word("note.pls_ungrouped", {"count": result.ungrouped})] if result.ungrouped else [])]


def errors_of(result: Any) -> list[Word]:
    """How standard errors and intervals were made; why there are none."""
    draws = getattr(result, "draws", None)
    if draws is None:
        return [Word("reason.no_rows")]
    said = [*errors_notes(result.estimates.provenance.variance), Word(f"interval.{result.interval}")]
    turned = int(draws.counts["replicates_turned"].max())
    return [*said, *([Word("note.pls_turned", {"count": turned})] if turned else [])]


def remark_word(note: str, names: Names) -> Word | str:
    """A remark of the engine in words, with the group that it is about and the texts of what it names."""
    found = OF_GROUP.match(note)
    if found is not None:
        group = group_label(found["label"][1:-1], names)
        return Word("note.of_group", {"group": group, "note": remark_word(found["note"], names)})
    word = remark(note)
    if not isinstance(word, Word):
        return word
    blanks: dict[str, Any] = dict(word.blanks)
    return replace(word, blanks={name: _blank(name, str(value), names) for name, value in blanks.items()})


def _blank(name: str, value: str, names: Names) -> Word | str:
    """What a remark names, in the texts of the questionnaire."""
    if name in ("one", "other", "listed"):
        quoted = re.findall(r"'(.*?)'", value)
        return names.listed([construct_text(code, names) for code in quoted]) if quoted else value
    if name == "group":
        return group_label(value[1:-1], names)
    if name == "items":
        loaded = [f"{construct_text(one['owner'], names)} → {item_text(one['item'], names)} "
                  f"({number(float(one['value']), 'score')})" for one in LOADED.finditer(value)]  # fmt: skip
        return names.listed([*loaded, *(["…"] if MORE.search(value) else [])])
    return drawn_words(value) if name == "drawn" else value


def drawn_words(words: str) -> Word | str:
    """How replicates were made; a bootstrap by who was drawn."""
    kind, _, units = words.partition(" of ")
    return Word("replicated.bootstrap", {"units": units_word(units.split(",")[0])}) if kind == "bootstrap" else words
