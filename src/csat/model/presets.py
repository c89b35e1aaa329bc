"""Model texts made for the user: published satisfaction models, and models from a questionnaire's dimensions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from csat.errors import ModelError, check_choice, closest
from csat.model.syntax import statements_of
from csat.model.terms import Term
from csat.model.tokens import quoted, tokens_of

if TYPE_CHECKING:
    from csat.questionnaire import Questionnaire

#: Name of a model → construct → what explains it, in the order of the causal chain.
#: "ecsi": Tenenhaus, Esposito Vinzi, Chatelin & Lauro (2005), Computational Statistics & Data Analysis 48(1), figure 1.
#: "acsi": Fornell, Johnson, Anderson, Cha & Bryant (1996), Journal of Marketing 60(4), figure 1.
#: "study": the Gansu Mobile customer-satisfaction study.
PRESETS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "ecsi": {
        "image": (),
        "expectation": ("image",),
        "quality": ("expectation",),
        "value": ("expectation", "quality"),
        "satisfaction": ("image", "expectation", "quality", "value"),
        "complaints": ("satisfaction",),
        "loyalty": ("image", "satisfaction", "complaints"),
    },
    "acsi": {
        "expectation": (),
        "quality": ("expectation",),
        "value": ("expectation", "quality"),
        "satisfaction": ("expectation", "quality", "value"),
        "complaints": ("satisfaction",),
        "loyalty": ("satisfaction", "complaints"),
    },
    "study": {
        "image": (),
        "quality": (),
        "value": (),
        "fairness": (),
        "satisfaction": ("image", "quality", "value", "fairness"),
        "complaints": ("satisfaction",),
        "loyalty": ("satisfaction",),
    },
}
#: What a construct is to its indicators, and the sign for it.
MODES: Mapping[str, str] = {"reflective": "=~", "formative": "<~"}


def preset_syntax(name: Any, indicators: Any, without: Any) -> str:
    """Text of a published model; see `csat.Model.preset`."""
    check_choice("preset", name, PRESETS)
    paths = _without(PRESETS[name], without, name)
    measured = _indicators(indicators)
    what = f"the model {name!r}"
    unknown = [construct for construct in measured if construct not in paths]
    if unknown:
        raise ModelError(
            f"{unknown[0]!r} is no construct of {what}; did you mean {closest(unknown[0], paths)}? "
            f"It has {', '.join(paths)}."
        )
    absent = [construct for construct in paths if not measured.get(construct)]
    if absent:
        raise ModelError(
            f"{what.capitalize()} needs indicators of {', '.join(map(repr, absent))}: "
            f"indicators={{{absent[0]!r}: ['…'], …}}. What was not asked is left out by without={absent!r}."
        )
    _check_measured(measured)
    return _text({construct: ("=~", measured[construct]) for construct in paths}, _lines(paths))


def questionnaire_syntax(asked: Questionnaire, paths: Any, indicators: Any, mode: Any, without: Any) -> str:
    """Text of a model on a questionnaire; see `csat.Model.from_questionnaire`."""
    if paths is None:
        if not asked.model:
            raise ModelError(
                f"The questionnaire {asked.name!r} has no [model]; give the paths, e.g. "
                'paths={"satisfaction": ["quality", "value"]} or paths="study".'
            )
        return asked.model
    given = _indicators(indicators)
    syntax = _structure(paths, without)
    terms = [statement for statement in statements_of(syntax) if isinstance(statement, Term)]
    own = {term.lhs for term in terms if term.op in ("=~", "<~")}
    finder = _Finder(asked, given, own)
    places = [(token.name, token.position) for token in tokens_of(syntax)]
    for term in terms:
        before = [position for text, position in places if text == term.lhs and position < term.position]
        finder.look_up(term.lhs, syntax, before[-1])
        if term.rhs:
            finder.look_up(term.rhs, syntax, term.position)
    unused = [name for name in given if name not in finder.found]
    if unused:
        raise ModelError(
            f"indicators names {unused[0]!r}, which no path uses; did you mean {closest(unused[0], finder.names)}?"
        )
    _check_measured(finder.found)
    signs = _signs(mode, finder.found)
    return _text({name: (signs[name], items) for name, items in finder.found.items()}, [syntax.strip()])


class _Finder:
    """Collects what measures the names that a model uses.

    found : construct → indicators. names : every name that was used. own : constructs that the text measures itself.
    """

    def __init__(self, asked: Questionnaire, given: Mapping[str, tuple[str, ...]], own: set[str]) -> None:
        self.asked, self.given, self.own = asked, given, own
        self.known = _measured_by_study(asked)
        self.found: dict[str, tuple[str, ...]] = {}
        self.names: list[str] = []

    def look_up(self, name: str, syntax: str, position: int) -> None:
        """Find what a name stands for: given indicators, the study's own model, a dimension, or an item."""
        self.names.append(name)
        if name in self.own or name in self.found:
            return
        if name in self.given:
            self.found[name] = self.given[name]
        elif name in self.known:
            self.found[name] = self.known[name]
        elif name not in self.asked.codes and name not in {column.code for column in self.asked.columns}:
            raise ModelError.at(syntax, position, self._unknown(name))

    def _unknown(self, name: str) -> str:
        codes = [*self.known, *self.given, *self.asked.codes]
        return (
            f"{name!r} is no dimension, item or column of the questionnaire; did you mean {closest(name, codes)}? "
            f"A construct that is no dimension: indicators={{{name!r}: ['…', '…']}}."
        )


def _measured_by_study(asked: Questionnaire) -> dict[str, tuple[str, ...]]:
    """Construct → items: what the study's [model] says before what its dimensions say, down to the items."""
    found = {node.code: tuple(_leaves(asked, node.code)) for node in asked.dimensions}
    written: dict[str, list[str]] = {}
    for term in statements_of(asked.model) if asked.model else ():
        if isinstance(term, Term) and term.op in ("=~", "<~"):
            written.setdefault(term.lhs, []).append(term.rhs)
    return found | {name: tuple(items) for name, items in written.items()}


def _leaves(asked: Questionnaire, code: str) -> Iterator[str]:
    """Items below a dimension."""
    below = {node.code: node.children for node in asked.dimensions}
    for child in below[code]:
        if child in below:
            yield from _leaves(asked, child)
        else:
            yield child


def _structure(paths: Any, without: Any) -> str:
    """Paths as a text: given as one, as the name of a published model, or as a table of effect → causes."""
    if isinstance(paths, str) and paths in PRESETS:
        return "\n".join(_lines(_without(PRESETS[paths], without, paths)))
    if _names(without, "without"):
        raise ModelError(
            f"without=… is for a published model, paths={next(iter(PRESETS))!r}; leave it out of the paths."
        )
    if isinstance(paths, str):
        return paths
    if not isinstance(paths, Mapping):
        raise ModelError(
            'paths is a text such as "loyalty ~ satisfaction", a table {"loyalty": ["satisfaction"]}, or one of '
            f"{', '.join(map(repr, PRESETS))}; found {type(paths).__name__}."
        )
    lines = _lines({effect: _names(causes, f"paths[{effect!r}]") for effect, causes in paths.items()})
    if not lines:
        raise ModelError("paths is empty: at least one effect is needed.")
    return "\n".join(lines)


def _without(paths: Mapping[str, tuple[str, ...]], without: Any, name: str) -> dict[str, tuple[str, ...]]:
    """The constructs that are left, each with its causes."""
    gone = _names(without, "without")
    for construct in gone:
        if construct not in paths:
            raise ModelError(
                f"without={construct!r}: the model {name!r} has no such construct; did you mean "
                f"{closest(construct, paths)}?"
            )
    left = {
        effect: tuple(cause for cause in causes if cause not in gone)
        for effect, causes in paths.items()
        if effect not in gone
    }
    explaining = {cause for causes in left.values() for cause in causes}
    alone = [construct for construct, causes in left.items() if not causes and construct not in explaining]
    if alone or not explaining:
        shown = f" {alone[0]!r} has no path left" if alone else " no path is left"
        raise ModelError(f"without={list(gone)!r} takes the model {name!r} apart:{shown}. Write it as a text.")
    return left


def _lines(paths: Mapping[str, Sequence[str]]) -> list[str]:
    return [f"{quoted(effect)} ~ {' + '.join(map(_cause, causes))}" for effect, causes in paths.items() if causes]


def _cause(name: str) -> str:
    """A name as it stands in a model; one with a modifier, ``b*quality``, or in backticks is a piece of text."""
    return name if "*" in name or name.startswith("`") else quoted(name)


def _text(measured: Mapping[str, tuple[str, Sequence[str]]], lines: Sequence[str]) -> str:
    blocks = (f"{quoted(name)} {sign} {' + '.join(map(quoted, items))}" for name, (sign, items) in measured.items())
    return "\n".join([*blocks, *lines])


def _indicators(indicators: Any) -> dict[str, tuple[str, ...]]:
    """Construct → indicators, as given."""
    if indicators is None:
        return {}
    if not isinstance(indicators, Mapping):
        raise ModelError(
            'indicators is a table of construct → its items, e.g. {"quality": ["C21", "C22"]}; found '
            f"{type(indicators).__name__}."
        )
    return {str(name): _names(items, f"indicators[{name!r}]") for name, items in indicators.items()}


def _names(given: Any, what: str) -> tuple[str, ...]:
    """One name or several, each once."""
    listed = [given] if isinstance(given, str) else given
    if not isinstance(listed, Sequence) or not all(isinstance(name, str) for name in listed):
        raise ModelError(f"{what} is a list of names; found {given!r}"[:120] + ".")
    twice = next((name for at, name in enumerate(listed) if name in listed[:at]), None)
    if twice is not None:
        raise ModelError(f"{what} names {twice!r} twice.")
    return tuple(listed)


def _check_measured(measured: Mapping[str, tuple[str, ...]]) -> None:
    """Refuse names that no model can have, and indicators of two constructs."""
    owner: dict[str, str] = {}
    for construct, items in measured.items():
        for name in (construct, *items):
            quoted(name)
        if not items:
            raise ModelError(f"{construct!r} has no indicators: indicators={{{construct!r}: ['…']}}.")
        for item in items:
            if item in measured:
                raise ModelError(
                    f"{item!r} is both a construct and an indicator of {construct!r}; give the construct another name."
                )
            if owner.setdefault(item, construct) != construct:
                raise ModelError(
                    f"{item!r} would measure both {owner[item]!r} and {construct!r}. Give one of them its own items in "
                    "indicators=…, or write the model as a text if that is meant."
                )


def _signs(mode: Any, measured: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    """Sign of each construct: all alike, or as a table says, reflective where it says nothing."""
    if not isinstance(mode, Mapping):
        check_choice("mode", mode, MODES)
    given = mode if isinstance(mode, Mapping) else dict.fromkeys(measured, mode)
    for construct, one in given.items():
        check_choice("mode", one, MODES)
        if construct not in measured:
            raise ModelError(
                f"mode names {construct!r}, which has no indicators here; did you mean {closest(construct, measured)}?"
            )
    return {construct: MODES[given.get(construct, "reflective")] for construct in measured}
