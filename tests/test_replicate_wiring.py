"""Every verb takes its variances from replicate weights when the design has them."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

import csat
from csat.design import Replication

STUDY = (
    '[study]\nname="s"\nindex="all"\n[scales.ten]\nlow=1\nhigh=10\n[items]\nx={scale="ten"}\ny={scale="ten"}\n'
    "[dimensions.all]\nchildren={x=0.3,y=0.7}\n[columns]\nsegment={kind='category'}\n"
)


@pytest.fixture
def data(rng):
    x = rng.integers(1, 11, 120).astype(float)
    frame = pd.DataFrame({"x": x, "y": np.clip(x + rng.normal(0, 2, 120).round(), 1, 10)})
    frame["segment"] = rng.choice(["a", "b"], 120)
    frame["hall"] = rng.integers(0, 8, 120).astype(str)
    weights = rng.gamma(4, 0.25, (120, 25))
    return pd.concat([frame, pd.DataFrame(weights, columns=[f"r{i}" for i in range(25)])], axis=1)


@pytest.fixture
def source(data, tmp_path):
    (tmp_path / "study.toml").write_text(STUDY, encoding="utf-8")
    design = csat.Design(replicates=tuple(f"r{i}" for i in range(25)), replication=Replication("bootstrap"))
    return csat.read_survey(data, csat.read_questionnaire(tmp_path / "study.toml"), design=design)


def spread(data, figure):
    """Standard deviation of a figure of (rows, weights) over the replicates."""
    return np.std([figure(data, data[f"r{i}"].to_numpy()) for i in range(25)], ddof=1)


def test_gap(data, source):
    def gap(rows, w):
        inside = {s: (rows["segment"] == s).to_numpy() for s in "ab"}
        score = {s: sum(share * np.average(rows[v][m], weights=w[m]) for v, share in (("x", 0.3), ("y", 0.7)))
                 for s, m in inside.items()}  # fmt: skip
        return (score["b"] - score["a"]) / 9 * 100

    got = csat.gaps(source, by="segment", against="a", own="b").tidy().set_index("term").loc["all"]
    assert_allclose(got["se"], spread(data, gap), rtol=1e-9)


def test_total_and_ratio(data, source):
    assert_allclose(csat.total(source, "x").se[0], spread(data, lambda d, w: w @ d["x"]), rtol=1e-9)
    ratio = csat.ratio(source, "x", "y")
    assert_allclose(ratio.se[0], spread(data, lambda d, w: (w @ d["x"]) / (w @ d["y"])), rtol=1e-9)
    assert ratio.provenance.variance == "replicates: bootstrap"


def test_regression_and_importance(data, source):
    fit = csat.regress(source, "y", ["x"]).coefficients
    for place in (0, 1):
        expected = spread(data, lambda d, w, place=place: np.polyfit(d["x"], d["y"], 1, w=np.sqrt(w))[1 - place])
        assert_allclose(fit.se[place], expected, rtol=1e-8)

    with_more = csat.regress(source, "y", ["x"], complete=["r0"]).coefficients
    assert_allclose(with_more.se, fit.se, rtol=1e-9)

    def r2(rows, w):
        cov = np.cov(rows["x"], rows["y"], aweights=w)
        return cov[0, 1] ** 2 / cov[0, 0] / cov[1, 1]

    parts = csat.importance(source, "y", ["x"]).estimates
    assert_allclose(parts.se[0], spread(data, r2), rtol=1e-8)
    assert fit.provenance.variance == parts.provenance.variance == "replicates: bootstrap"
