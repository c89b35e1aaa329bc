"""What should be said beside an evaluation: how its draws were made, and what to beware of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

#: Kind of remark → its wording in English.
REMARKS: Mapping[str, str] = {
    "draws": "Probabilities: {count} × {words}.",
    "weights_drawn": "Weights drawn too: {nodes}.",
    "weights_fixed": "Weights without known uncertainty, held as they are: {nodes}.",
    "undefined": "Nodes that some draws leave without a valid answer: {count}; these draws do not count.",
    "not_effective": "{node}{group}: the maximum membership leads by too little to decide alone (α = {alpha:.2f}, "
    "below 0.5); read the score and the closest grade too.",
    "close": "{node}{group}: too close to call; {grade} in {probability:.0%} of the draws.",
}


@dataclass(frozen=True, slots=True)
class Remark:
    """`kind` is a key of `REMARKS`, `figures` fill its blanks."""

    kind: str
    figures: Mapping[str, float | str] = field(default_factory=dict)

    def __str__(self) -> str:
        return REMARKS[self.kind].format(**self.figures)
