"""The questionnaire that tests of sources share: six questions with missing codes, labels, weights, strata, units."""

from csat.design import Design
from csat.questionnaire import Column, Dimension, Item, Questionnaire, Scale

TEN = Scale(
    "ten", 1, 10, missing={98: "dont_know", 99: "not_used"}, labels={10: {"zh": "很满意", "en": "Very satisfied"}}
)
ITEMS = tuple(f"C{i}" for i in range(1, 7))
ASKED = Questionnaire(
    "sources",
    scales=(TEN,),
    items=tuple(Item(code, TEN) for code in ITEMS),
    dimensions=(Dimension("index", {}, ITEMS),),
    root="index",
    columns=(
        Column("brand", "category", {}, {"gotone": {"zh": "全球通"}, "mzone": {"zh": "动感地带"}}),
        Column("id", "id"),
    ),
    design=Design(weight="w", stratum="city", psu="hall"),
)
