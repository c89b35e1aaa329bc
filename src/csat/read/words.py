"""What the words of an answer tell: why it is missing, in which language, and how to declare it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence

from csat.questionnaire import Scale
from csat.questionnaire.scales import visible

#: Missing codes that are proposed, in this order.
_FREE_CODES = (98, 99, 97, 96, 95, 94, 998, 999, 997)

#: Unknown words that are proposed for one scale, and the longest of them.
_PROPOSED = 6
_LONGEST = 40

#: Words of a label that tell why an answer is missing.
_REASONS: Mapping[str, re.Pattern[str]] = {
    "dont_know": re.compile(
        r"不知道|不清楚|不了解|说不清|不好说|不确定|don.?t know|do not know|\bdk\b|unsure|not sure|no idea"
    ),
    "refused": re.compile(r"拒|不愿|refus|no answer|won.?t say|prefer not"),
    "not_used": re.compile(
        r"没用过|未使用|未用过|没有使用|没接触|not used|never used|no experience|not applicable|不适用"
    ),
    "not_asked": re.compile(r"未问|跳问|没问|not asked|skip|inapplicable"),
}


def reason_in(label: str) -> str | None:
    """Reason for a missing answer that a label tells, or None.

    >>> reason_in("不知道/说不清"), reason_in("Refused"), reason_in("满意")
    ('dont_know', 'refused', None)
    """
    words = visible(label).casefold()
    return next((reason for reason, pattern in _REASONS.items() if pattern.search(words)), None)


def language_of(text: str) -> str:
    """Language of a text: "zh" if it has a Chinese character, else "en"."""
    return "zh" if re.search("[\u4e00-\u9fff]", text) else "en"


def snippet(scale: Scale, words: Sequence[str]) -> str:
    """Lines of a study file that declare unknown words of a scale; empty if there is nothing to propose.

    Words that tell why an answer is missing get a free missing code. Of the others only a person can say which
    level they mean: their lines are commented out.
    """
    apt = [word for word in dict.fromkeys(words) if len(word) <= _LONGEST][:_PROPOSED]
    if not apt:
        return ""
    free = (code for code in _FREE_CODES if code > scale.high and code not in scale.missing)
    codes = dict(zip((w for w in apt if reason_in(w)), free, strict=False))
    missing = [f'{code} = "{reason_in(word)}"' for word, code in codes.items()]
    labels = [f"{code} = {_texts(word)}" for word, code in codes.items()]
    labels += [f"# {scale.low:g} = {_texts(word)}   (put in its level)" for word in apt if word not in codes]
    parts = [f"[scales.{scale.name}.missing]", *missing] if missing else []
    return "\n".join([*parts, f"[scales.{scale.name}.labels]", *labels])


def _texts(word: str) -> str:
    return f"{{ {language_of(word)} = {json.dumps(word, ensure_ascii=False)} }}"
