"""What the methods of a report rest on: a short list of works, those that its method notes name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from csat.report.methods import Method, methods_of
from csat.report.settings import Plan
from csat.report.words import Word, words

#: Key of a method → keys of the works that its note names.
WORKS: Mapping[str, tuple[str, ...]] = {
    "method.shrunken": ("fay_herriot",),
    "method.standing": ("klein",),
    "method.gap": ("holm", "schuirmann"),
    "method.importance": ("lindeman", "gromping"),
    "method.ipa": ("martilla",),
    "method.regression": ("binder",),
    "method.stability": ("rao_wu",),
    "method.dispersion": ("holm",),
    "method.apart": ("holm",),
    "method.structural": ("yuan_bentler", "hu_bentler"),
    "method.pls": ("wold", "ringle"),
    "method.fuzzy": ("zadeh",),
    "method.mix": ("kitagawa",),
    "method.design": ("binder", "lumley"),
    "method.replicates": ("wolter",),
    "method.bases": ("willenborg",),
}


def references(about: Plan, lang: str = "en", made: Mapping[str, Any] | None = None) -> Method:
    """List the works that a report's method notes name, in the order of the alphabet; `made` as in `method`."""
    named = {work for method in methods_of(about, lang, made) for work in WORKS.get(method.key, ())}
    say = words(lang).say
    return Method(lang, tuple(sorted(say(Word(f"reference.{work}")) for work in named)))
