"""Columns of words in a structural model: what to do with each kind, and that doing it helps."""

import warnings

import pandas as pd
import pytest

import csat
from csat.errors import SampleError

WORDS = ["poor", "fair", "good"]


@pytest.fixture(scope="module")
def frame(fixtures):
    found = pd.read_csv(fixtures / "lavaan" / "rows.csv")
    cut = pd.qcut(found["x1"], 3, labels=WORDS).astype(str)
    texts = found["x2"].map("{:.1f}".format)
    return found.assign(is_male=found["male"] == 1, rated=cut, kept_as_text=texts)


@pytest.mark.parametrize(
    ("model", "options", "advice"),
    [
        ("F =~ x4 + x5 + x6\nF ~ is_male", {}, r"'false', 'true', not numbers\. Recode it to 0 and 1 before reading"),
        ("F =~ x4 + x5 + x6\nF ~ is_male", {"missing": "fiml"}, "Recode it to 0 and 1 before reading"),
        ("F =~ kept_as_text + x4 + x5", {}, "They are numbers kept as text: convert the column"),
        ("F =~ rated + x4 + x5", {}, "give them numbers by a scale with labels in the questionnaire"),
        ("F =~ rated + x4 + x5", {"estimator": "WLSMV", "ordered": "rated"}, "if the categories have an order"),
    ],
)
def test_advice(frame, model, options, advice):
    with pytest.raises(SampleError, match=advice):
        csat.sem(csat.read_survey(frame), model, **options)


def test_following_the_advice_helps(frame, study):
    labels = "".join(f'{level} = {{ en = "{word}" }}\n' for level, word in enumerate(WORDS, 1))
    text = f'[study]\nname = "s"\n[scales.words]\nlow = 1\nhigh = 3\n[scales.words.labels]\n{labels}'
    asked = study(text + '[items.rated]\nscale = "words"\n')
    recoded = frame.assign(is_male=frame["is_male"].astype(int))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", csat.CsatWarning)
        source = csat.read_survey(recoded, asked)
        ordered = csat.sem(source, "F =~ rated + x4 + x5 + x6", estimator="WLSMV", ordered="rated")
        found = csat.sem(source, "F =~ x4 + x5 + x6\nF ~ is_male")
    assert ordered.thresholds.answers["rated"] == (1.0, 2.0, 3.0)
    assert (ordered.tidy().query("op == '|'")["estimate"].diff().dropna() > 0).all()
    plain = csat.sem(csat.read_survey(frame), "F =~ x4 + x5 + x6\nF ~ male")
    assert found.measures.chisq == pytest.approx(plain.measures.chisq)
