"""Invariance of ordered items: its steps against lavaan 0.6-14 (R 4.2.2), and what is not offered, in words.

tests/fixtures/lavaan/invariance_ordered.json is made by invariance_ordered.R beside it; answers are cut from rows drawn
by rows.R.
"""

import json
import warnings

import pandas as pd
import pytest

import csat
from csat.errors import OptionError


@pytest.fixture(scope="module")
def lavaan(fixtures):
    return json.loads((fixtures / "lavaan" / "invariance_ordered.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def found(lavaan):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", csat.CsatWarning)
        return csat.invariance(
            csat.read_survey(pd.DataFrame(lavaan["data"])), lavaan["model"], "school", estimator="WLSMV", ordered=True
        )


def test_the_usual_steps_are_those_that_ordered_items_have(found, lavaan):
    assert found.steps == ("configural", "metric")
    assert found.ordered
    for step in found.steps:
        theirs, ours = lavaan["fits"][step], found.fit(step).glance().iloc[0]
        assert ours["df"] == theirs["df"]
        pairs = {"chisq": "chisq", "chisq_scaled": "chisq.scaled", "p_scaled": "pvalue.scaled",
                 "cfi_scaled": "cfi.scaled", "rmsea_scaled": "rmsea.scaled", "srmr": "srmr"}  # fmt: skip
        for mine, their in pairs.items():
            assert ours[mine] == pytest.approx(theirs[their], rel=2e-4, abs=1e-5), (step, mine)


def test_the_difference_of_the_steps(found, lavaan):
    ours, theirs = found.tidy().iloc[1], lavaan["difference"]
    assert ours["df_diff"] == theirs["df"]
    assert ours["chisq_diff"] == pytest.approx(theirs["chisq"], rel=2e-3)
    assert ours["p"] == pytest.approx(theirs["p"], abs=1e-3)


def test_means_are_not_compared_and_the_table_says_so(found):
    assert found.latent_means().tidy()["note"].str.startswith("the intercepts were not held equal").all()
    for lang, said in (("en", "each group has its own thresholds"), ("zh", "各组阈值各自估计")):
        assert said in repr(csat.table(found, lang))


@pytest.mark.parametrize("step", ["scalar", "strict"])
def test_later_steps_are_refused_with_a_way_out(lavaan, step):
    source = csat.read_survey(pd.DataFrame(lavaan["data"]))
    with pytest.raises(OptionError, match=rf"'{step}' is about .* every group has its own thresholds\. .*'MLR'"):
        csat.invariance(source, lavaan["model"], "school", estimator="WLSMV", ordered=True, steps=["configural", step])
