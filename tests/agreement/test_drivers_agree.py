"""Estimators that must agree with each other."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

import csat

NAMES = ["x0", "x1", "x2"]


@pytest.fixture
def data(rng):
    x = rng.normal(loc=7, size=(400, 3)) @ (np.eye(3) + 0.3)
    y = 2 + x @ [0.5, 0.3, 0.0] + rng.normal(size=400) * (1 + 0.3 * np.abs(x[:, 0]))
    return pd.DataFrame(x, columns=NAMES).assign(
        y=y, w=rng.uniform(0.3, 3, 400), psu=(np.arange(400) // 10).astype(str), st=(np.arange(400) // 100).astype(str)
    )


def test_a_share_is_the_mean_of_its_indicator(data):
    data["brand"] = np.where(data["x0"] > 7, "gotone", "easyown")
    data["is_gotone"] = (data["brand"] == "gotone").astype(float)
    source = csat.read_survey(data, design=csat.Design(weight="w", stratum="st", psu="psu"))
    share, mean = csat.share(source, "brand", values=["gotone"]), csat.mean(source, "is_gotone")
    assert_allclose([share.estimate, share.se], [mean.estimate, mean.se], rtol=1e-12)


def test_a_ratio_to_ones_is_the_mean(data):
    source = csat.read_survey(data.assign(one=1.0), design=csat.Design(weight="w", stratum="st", psu="psu"))
    ratio, mean = csat.ratio(source, "y", "one", by="st"), csat.mean(source, "y", by="st")
    assert_allclose(ratio.vcov, mean.vcov, rtol=1e-9, atol=1e-16)
