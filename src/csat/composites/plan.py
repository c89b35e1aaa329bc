"""What a model is to partial least squares: plain blocks, constructs made of constructs, products of constructs."""

from __future__ import annotations

from typing import Any

import numpy as np

from csat.composites.blocks import blocks_of, refuse_foreign
from csat.composites.figures import Layout
from csat.composites.higher import SECOND_ORDER, second_order_layout, wholes_of
from csat.composites.items import points_of
from csat.composites.products import INTERACTIONS, moderated_layout, products_of
from csat.composites.solution import Settings
from csat.errors import ModelError, OptionError, check_choice
from csat.model import Model
from csat.questionnaire import Questionnaire


def layout_of(
    model: Model, settings: Settings, questionnaire: Questionnaire | None, *,
    modes: Any, consistent: Any, limits: Any, second_order: Any, interaction: Any,
) -> Layout:  # fmt: skip
    """Which figures a model has, and how they follow from sums over respondents; see `csat.pls` for the options.

    Raises
    ------
    ModelError, OptionError
        For what partial least squares does not have, in words.
    """
    check_choice("second_order", second_order, SECOND_ORDER)
    check_choice("interaction", interaction, INTERACTIONS)
    refuse_foreign(model)
    wholes, products = wholes_of(model), products_of(model)
    if not wholes and not products:
        blocks = blocks_of(model, modes=modes, consistent=consistent)
        return Layout(blocks, points_of(blocks, questionnaire, limits), settings, np.zeros(0, int))
    _refuse_both(model, wholes, products)
    _check_plain(settings, consistent, "products of constructs" if products else "constructs made of constructs")
    if products:
        return moderated_layout(model, products, interaction, settings, questionnaire, modes, limits)
    return second_order_layout(model, wholes, second_order, settings, questionnaire, modes, limits)


def _refuse_both(model: Model, wholes: Any, products: Any) -> None:
    if wholes and products:
        first = products[0]
        raise ModelError.at(
            model.syntax,
            first.position,
            f"the product {first.name!r} stands in a model with {next(iter(wholes))!r}, a construct made of "
            "constructs; a model has one or the other. Leave one of them out.",
        )


def _check_plain(settings: Settings, consistent: Any, what: str) -> None:
    if consistent is not False:
        raise OptionError(f"consistent: the correction for attenuation is not available with {what}; leave it out.")
    if not settings.scaled:
        raise OptionError(f"scaled=False: a model with {what} is estimated from standardized items; leave it out.")
