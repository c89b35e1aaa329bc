"""Write the synthetic sample study: `python data/sample/generate.py [folder]`.

Nobody answered these questions. A latent-variable model with the published study's structure draws
standard-normal traits, thresholds turn them into answers, and each question's threshold shift is solved so
that the weighted mean of the own branch in 2026Q3 meets its target (for C11 … C45: the published score).
Everything that is true of the data stands in the tables below; README.md explains it. One fixed seed, so
the files come out the same, byte for byte.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import ndtr

SEED = 20261001
QUARTERS = ("2025Q4", "2026Q1", "2026Q2", "2026Q3")
OWN, CURRENT = "gansu", "2026Q3"
RESPONDENTS = {"gansu": 700, "xian": 400, "qinghai": 250, "rival": 250}
BRAND_SHARE = {
    "gansu": {"gotone": 0.22, "mzone": 0.12, "easyown": 0.66},
    "xian": {"gotone": 0.28, "mzone": 0.17, "easyown": 0.55},
    "qinghai": {"gotone": 0.18, "mzone": 0.10, "easyown": 0.72},
    "rival": {"": 1.0},
}
LINE_SHARE = {"mobile": 0.68, "broadband": 0.32}
CITY_SHARE = {
    "gansu": {"lanzhou": 0.30, "tianshui": 0.18, "qingyang": 0.14, "dingxi": 0.15, "zhangye": 0.12, "jiuquan": 0.11},
    "xian": {"yanta": 0.28, "weiyang": 0.22, "beilin": 0.20, "changan": 0.18, "lintong": 0.12},
    "qinghai": {"xining": 0.48, "haidong": 0.26, "haixi": 0.16, "hainan": 0.10},
    "rival": {"rival_lanzhou": 0.40, "rival_tianshui": 0.24, "rival_qingyang": 0.19, "rival_zhangye": 0.17},
}
HALLS = (8, 15)
"""Fewest and most service halls (the primary sampling units) per city."""

PROCESSES = tuple(f"P{number}" for number in range(1, 10))
DIMENSIONS = ("image", "quality", "value", "fairness")
PROCESS_CORRELATION = 0.36
PROCESS_EFFECT = {
    "image": {"P1": 0.20, "P6": 0.34, "P7": 0.20},
    "quality": {"P1": 0.46, "P2": 0.12, "P5": 0.10, "P6": 0.14, "P7": 0.20},
    "value": {"P1": 0.22, "P4": 0.50},
    "fairness": {"P4": 0.18, "P7": 0.16, "P8": 0.46},
}
"""Standardised effects of processes on dimensions; P3 (value-added services) and P9 (information) have none."""

RESIDUAL_CORRELATION = 0.40
"""Between the parts of two dimensions that no process explains."""

PATH = {"image": 0.22, "quality": 0.36, "value": 0.28, "fairness": 0.24}
"""Dimension → satisfaction."""

LOYALTY_PATH = 0.78
"""Satisfaction → loyalty; nothing else leads to loyalty."""

IMAGE_FACTOR = {"caring": 0.78, "leading": 0.70, "popular": 0.76}
"""Image → its three factors of statements."""

HALL_SD = {"process": 0.25, "trait": 0.19}
"""Service halls differ: shared by all processes of a hall, and by each trait on its own."""

CITY_SD = 0.06
CURVATURE = 0.22
"""Bends the trait so that answers are skewed to the left, as satisfaction scores are."""

EMPTY = 0.003
"""Share of answers that were never given: empty cells."""

UNSURE = 0.5
"""Correlation between two questions of not having an answer: the same people know little."""

SHIFTS: tuple[tuple[Mapping[str, str], Mapping[str, float]], ...] = (
    ({"branch": "xian"}, {"P1": 0.84, "P6": 0.30, "P7": 0.34, "P8": -0.40, "C21": 0.22, "C22": 0.26, "C31": -0.12}),
    ({"branch": "qinghai"}, {"P1": -0.15, "P2": -0.12, "P6": -0.10, "fairness": 0.14, "C32": 0.15, "C44": 0.12}),
    (
        {"branch": "rival"},
        {"P1": -0.40, "P2": -0.25, "P3": 0.15, "P6": -0.35, "P7": -0.30, "image": -0.30, "C31": 0.42, "C32": 0.50}
        | {"C23": 0.20, "C45": -0.15, "satisfaction": -0.12},
    ),
    ({"brand": "gotone"}, {"P6": 0.12, "P7": 0.12, "value": -0.16, "fairness": 0.06}),
    ({"brand": "mzone"}, {"quality": -0.14, "value": -0.18, "P3": 0.15, "satisfaction": -0.06}),
    ({"brand": "easyown"}, {"value": 0.08, "image": 0.04}),
    (
        {"line": "broadband"},
        {"P1": -0.16, "P7": -0.06, "P8": -0.10, "quality": -0.08, "value": -0.08, "fairness": -0.06},
    ),
    ({"branch": "gansu", "quarter": "2025Q4"}, {"P8": -0.40, "value": 0.15}),
    ({"branch": "gansu", "quarter": "2026Q1"}, {"P8": -0.40, "value": 0.10}),
    ({"branch": "gansu", "quarter": "2026Q2"}, {"P8": -0.40, "value": 0.05}),
)
"""Who differs, and by how many standard deviations: processes and traits pass it on, questions keep it."""


@dataclass(frozen=True, slots=True)
class Question:
    """How one question is answered.

    trait : what it measures, with `loading`; the rest is noise of the question's own.
    target : weighted mean on 0–100 in the own branch and current quarter.
    spread : standard deviation in answer steps before the scale's ends cut it.
    low, high : ends of the scale.
    dont_know, not_used : shares of the codes 98 and 99.
    """

    trait: str
    loading: float
    target: float
    spread: float
    dont_know: float = 0.01
    not_used: float = 0.0
    low: int = 1
    high: int = 10


QUESTIONS = {
    "C11": Question("image", 0.78, 66.56, 2.05, 0.005),
    "C12": Question("image", 0.80, 66.74, 2.10, 0.02, 0.04),
    "C13": Question("image", 0.76, 66.00, 2.20, 0.03),
    "C14": Question("image", 0.84, 66.12, 2.00, 0.02),
    "C21": Question("quality", 0.78, 64.18, 2.45, 0.01),
    "C22": Question("quality", 0.84, 65.37, 2.40, 0.01),
    "C23": Question("quality", 0.78, 68.50, 2.10, 0.03),
    "C24": Question("quality", 0.82, 67.50, 1.95, 0.03, 0.05),
    "C25": Question("quality", 0.76, 66.25, 1.95, 0.01, 0.02),
    "C26": Question("quality", 0.78, 67.12, 2.05, 0.03, 0.04),
    "C27": Question("quality", 0.80, 66.62, 2.20, 0.02, 0.08),
    "C31": Question("value", 0.82, 66.66, 2.40, 0.02),
    "C32": Question("value", 0.80, 69.77, 2.30, 0.18),
    "C33": Question("value", 0.86, 69.58, 2.15, 0.04),
    "C41": Question("fairness", 0.80, 69.93, 2.05, 0.05),
    "C42": Question("fairness", 0.84, 67.26, 2.10, 0.04),
    "C43": Question("fairness", 0.84, 64.50, 2.25, 0.06),
    "C44": Question("fairness", 0.76, 69.55, 2.30, 0.01, 0.06),
    "C45": Question("fairness", 0.80, 65.33, 2.00, 0.01, 0.06),
    "IC1": Question("caring", 0.84, 65.80, 2.15, 0.02),
    "IC2": Question("caring", 0.82, 64.90, 2.20, 0.04),
    "IC3": Question("caring", 0.80, 67.40, 2.10, 0.06),
    "IL1": Question("leading", 0.84, 70.60, 2.00, 0.05),
    "IL2": Question("leading", 0.82, 68.90, 2.05, 0.09),
    "IL3": Question("leading", 0.78, 69.70, 2.10, 0.07),
    "IP1": Question("popular", 0.82, 68.10, 2.10, 0.03),
    "IP2": Question("popular", 0.84, 67.20, 2.15, 0.03),
    "IP3": Question("popular", 0.78, 69.20, 2.20, 0.05),
    "P1": Question("P1", 1.0, 71.73, 2.20, 0.005),
    "P2": Question("P2", 1.0, 70.10, 2.10, 0.01, 0.14),
    "P3": Question("P3", 1.0, 65.40, 2.30, 0.03, 0.09),
    "P4": Question("P4", 1.0, 67.90, 2.20, 0.02),
    "P5": Question("P5", 1.0, 73.80, 1.90, 0.005, 0.01),
    "P6": Question("P6", 1.0, 78.35, 1.90, 0.005, 0.05),
    "P7": Question("P7", 1.0, 79.29, 2.00, 0.01, 0.08),
    "P8": Question("P8", 1.0, 62.99, 2.45, 0.02, 0.16),
    "P9": Question("P9", 1.0, 68.60, 2.10, 0.02),
    "overall": Question("satisfaction", 0.90, 68.22, 1.95, 0.0),
    "S1": Question("satisfaction", 0.84, 62.40, 2.00, 0.02),
    "S2": Question("satisfaction", 0.82, 60.10, 2.15, 0.03),
    "expectation": Question("image", 0.35, 76.50, 1.90, 0.03),
    "L1": Question("loyalty", 0.88, 71.40, 2.30, 0.03),
    "L2": Question("loyalty", 0.80, 60.30, 2.55, 0.06),
    "nps": Question("loyalty", 0.82, 68.50, 2.35, 0.02, low=0),
}
BACKGROUND = ("id", "quarter", "branch", "city", "hall", "brand", "line", "weight", "complained")
TAIL = ("arpu", "tenure", "duration")


def true_effects() -> dict[str, float]:
    """Total effect of each process on satisfaction, through the dimensions, in standard deviations."""
    return {
        process: sum(PATH[name] * PROCESS_EFFECT[name].get(process, 0.0) for name in DIMENSIONS)
        for process in PROCESSES
    }


def draw_sample(rng: np.random.Generator) -> pd.DataFrame:
    """Everybody who is asked, and where: one row per respondent, in random order within a quarter."""
    halls = {city: int(rng.integers(*HALLS, endpoint=True)) for shares in CITY_SHARE.values() for city in shares}
    parts = [
        draw_branch(rng, quarter, branch, size, halls) for quarter in QUARTERS for branch, size in RESPONDENTS.items()
    ]
    people = pd.concat(parts, ignore_index=True)
    order = np.lexsort((rng.random(len(people)), people["quarter"]))
    people = people.iloc[order].reset_index(drop=True)
    number = people.groupby("quarter").cumcount() + 1
    people.insert(0, "id", [f"{q[2:]}-{i:04d}" for q, i in zip(people["quarter"], number, strict=True)])
    return people


def draw_branch(
    rng: np.random.Generator, quarter: str, branch: str, size: int, halls: Mapping[str, int]
) -> pd.DataFrame:
    """One branch in one quarter: small cities and small brands are oversampled; the weights undo it."""

    def pick(shares: Mapping[str, float], power: float) -> np.ndarray:
        chance = np.array(list(shares.values())) ** power
        return rng.choice(list(shares), size, p=chance / chance.sum())

    city = pick(CITY_SHARE[branch], 0.75)
    number = [int(rng.integers(1, halls[name], endpoint=True)) for name in city]
    people = pd.DataFrame(
        {
            "quarter": quarter,
            "branch": branch,
            "city": city,
            "hall": [f"{name}-{hall:02d}" for name, hall in zip(city, number, strict=True)],
            "brand": pick(BRAND_SHARE[branch], 0.7),
            "line": pick(LINE_SHARE, 1.0),
        }
    )
    people["weight"] = rake(people, np.exp(rng.normal(0.0, 0.3, size)))
    return people


def rake(people: pd.DataFrame, start: np.ndarray) -> np.ndarray:
    """Weights of mean 1 that give the known shares of city, brand and business line in one branch."""
    branch = people["branch"].iloc[0]
    margins = {"city": CITY_SHARE[branch], "brand": BRAND_SHARE[branch], "line": LINE_SHARE}
    weight = start / start.mean()
    for _ in range(60):
        for column, shares in margins.items():
            found = pd.Series(weight).groupby(people[column].to_numpy()).sum() / len(people)
            weight = weight * people[column].map({value: share / found[value] for value, share in shares.items()})
        weight = np.clip(weight, 0.3, 3.5)
    return np.round(weight, 4)


def shift(people: pd.DataFrame, name: str) -> np.ndarray:
    """(n,) how far each respondent's group is above the others on a process, a trait or a question."""
    total = np.zeros(len(people))
    for who, effects in SHIFTS:
        if name in effects:
            inside = np.logical_and.reduce([people[column] == value for column, value in who.items()])
            total += effects[name] * inside
    return total


def draw_by_group(rng: np.random.Generator, labels: pd.Series, sd: float) -> np.ndarray:
    """(n,) a normal effect that everybody of the same group shares."""
    codes, groups = pd.factorize(labels, sort=True)
    return rng.normal(0.0, sd, len(groups))[codes]


def draw_traits(rng: np.random.Generator, people: pd.DataFrame) -> dict[str, np.ndarray]:
    """Trait → (n,), about standard normal in the own branch: processes → dimensions → satisfaction → loyalty."""
    n = len(people)
    place = draw_by_group(rng, people["city"], CITY_SD) + draw_by_group(rng, people["hall"], HALL_SD["process"])
    common = rng.standard_normal(n) * PROCESS_CORRELATION**0.5
    traits = {
        name: common + rng.standard_normal(n) * (1 - PROCESS_CORRELATION) ** 0.5 + place + shift(people, name)
        for name in PROCESSES
    }
    shared = rng.standard_normal(n) * RESIDUAL_CORRELATION**0.5
    for name in DIMENSIONS:
        effect = np.array([PROCESS_EFFECT[name].get(process, 0.0) for process in PROCESSES])
        noise = shared + rng.standard_normal(n) * (1 - RESIDUAL_CORRELATION) ** 0.5
        rest = (1 - explained(effect, PROCESS_CORRELATION)) ** 0.5
        hall = draw_by_group(rng, people["hall"], HALL_SD["trait"])
        traits[name] = sum(effect[i] * traits[p] for i, p in enumerate(PROCESSES)) + rest * noise + hall
        traits[name] = traits[name] + shift(people, name)
    for name, loading in IMAGE_FACTOR.items():
        traits[name] = loading * traits["image"] + (1 - loading**2) ** 0.5 * rng.standard_normal(n)
    drawn = sum(PATH[name] * traits[name] for name in DIMENSIONS)
    rest = (1 - float(np.var(drawn[people["branch"] == OWN]))) ** 0.5
    traits["satisfaction"] = drawn + rest * rng.standard_normal(n) + shift(people, "satisfaction")
    rest = (1 - LOYALTY_PATH**2) ** 0.5
    traits["loyalty"] = LOYALTY_PATH * traits["satisfaction"] + rest * rng.standard_normal(n)
    return traits


def explained(effect: np.ndarray, correlation: float) -> float:
    """Variance of a weighted sum of equally correlated standard variables."""
    return float((1 - correlation) * effect @ effect + correlation * effect.sum() ** 2)


def bend(trait: np.ndarray) -> np.ndarray:
    """Skew a standard-normal trait to the left and keep mean 0 and standard deviation 1."""
    k = CURVATURE
    mean, sd = 1 - np.exp(k**2 / 2), np.sqrt(np.exp(k**2) * (np.exp(k**2) - 1))
    return (1 - np.exp(-k * trait) - mean) / sd


def answer(question: Question, position: np.ndarray, centre: float) -> np.ndarray:
    """(n,) whole answers: the position in answer steps around `centre`, cut at the ends of the scale."""
    steps = np.floor(centre + question.spread * position + 0.5)
    return np.clip(steps, question.low, question.high)


def solve_centre(question: Question, position: np.ndarray, weight: np.ndarray) -> float:
    """Shift of the thresholds that brings the weighted mean to the target, to three decimals.

    Three decimals keep every respondent a little away from a threshold, so that rounding in the last bits
    cannot turn an answer on another machine.
    """
    width = question.high - question.low

    def miss(centre: float) -> float:
        mean = np.average(answer(question, position, centre), weights=weight)
        return float((mean - question.low) / width * 100 - question.target)

    low, high = float(question.low - 5), float(question.high + 5)
    while high - low > 1e-4:
        middle = (low + high) / 2
        low, high = (middle, high) if miss(middle) < 0 else (low, middle)
    return min((round(low, 3) + step / 1000 for step in range(-8, 9)), key=lambda centre: abs(miss(centre)))


def ask(rng: np.random.Generator, people: pd.DataFrame, code: str, trait: np.ndarray, unsure: np.ndarray) -> np.ndarray:
    """(n,) what one question yields: answers, 98, 99, or NaN for an empty cell; low `unsure` = no answer."""
    question = QUESTIONS[code]
    n = len(people)
    noise = rng.standard_normal(n) * (1 - question.loading**2) ** 0.5
    own_shift = 0.0 if code == question.trait else shift(people, code)
    position = bend(question.loading * trait + noise + own_shift)
    luck = ndtr(unsure * UNSURE**0.5 + rng.standard_normal(n) * (1 - UNSURE) ** 0.5)
    dont_know, not_used = question.dont_know, question.dont_know + question.not_used
    valid = luck >= not_used + EMPTY
    own = valid & (people["branch"] == OWN).to_numpy() & (people["quarter"] == CURRENT).to_numpy()
    centre = solve_centre(question, position[own], people["weight"].to_numpy()[own])
    given = answer(question, position, centre)
    given[luck < not_used] = 99
    given[luck < dont_know] = 98
    given[(luck >= not_used) & ~valid] = np.nan
    return given


def draw_background(rng: np.random.Generator, people: pd.DataFrame, traits: Mapping[str, np.ndarray]) -> pd.DataFrame:
    """Complaint flag, revenue, tenure and time to answer."""
    n = len(people)
    chance = 1 / (1 + np.exp(2.5 + 0.55 * traits["P8"] + 0.45 * traits["quality"]))
    level = people["brand"].map({"gotone": 4.70, "mzone": 4.05, "easyown": 3.80, "": 4.0}).astype(float)
    level = level + 0.25 * (people["line"] == "broadband") + 0.06 * traits["loyalty"]
    months = people["brand"].map({"gotone": 84.0, "mzone": 26.0, "easyown": 48.0, "": 40.0}).astype(float)
    return pd.DataFrame(
        {
            "complained": np.where(rng.random(n) < chance, "yes", "no"),
            "arpu": np.round(np.exp(level + 0.45 * rng.standard_normal(n)), 1),
            "tenure": np.maximum(1, np.round(months * rng.gamma(1.8, 1 / 1.8, n) * np.exp(0.08 * traits["loyalty"]))),
            "duration": np.maximum(190, np.round(np.exp(6.05 + 0.28 * rng.standard_normal(n)))),
        }
    )


def synthesise() -> pd.DataFrame:
    """Draw the clean survey: background and numeric answers of every respondent."""
    rng = np.random.Generator(np.random.PCG64(SEED))
    people = draw_sample(rng)
    traits = draw_traits(rng, people)
    background = draw_background(rng, people, traits)
    unsure = rng.standard_normal(len(people))
    answers = {code: ask(rng, people, code, traits[question.trait], unsure) for code, question in QUESTIONS.items()}
    survey = pd.concat([people, background, pd.DataFrame(answers)], axis=1)
    return survey[[*BACKGROUND, *QUESTIONS, *TAIL]]


def as_text(survey: pd.DataFrame) -> pd.DataFrame:
    """Every cell as it stands in the file."""
    whole = [*QUESTIONS, "tenure", "duration"]
    text = survey.astype(object)
    for column in whole:
        text[column] = [("" if np.isnan(value) else str(int(value))) for value in survey[column]]
    text["weight"] = [f"{value:.4f}" for value in survey["weight"]]
    text["arpu"] = [f"{value:.1f}" for value in survey["arpu"]]
    return text.astype(str)


FULL_WIDTH = str.maketrans("0123456789", "０１２３４５６７８９")
ANSWER_TEXT = {"10": "很满意", "1": "很不满意"}


def soil(text: pd.DataFrame) -> pd.DataFrame:
    """Add what real files bring: none of it changes a valid figure of the own branch in the current quarter."""
    rng = np.random.Generator(np.random.PCG64(SEED + 1))
    text = text.copy()
    now = np.flatnonzero(text["quarter"] == CURRENT)
    away = now[(text["branch"].iloc[now] != OWN).to_numpy()]
    for row in rng.choice(away, 2, replace=False):
        text.loc[row, [code for code in QUESTIONS if code != "nps"]] = "8"
    text.loc[rng.choice(now, 3, replace=False), "duration"] = ["34", "41", "47"]
    items = list(QUESTIONS)[:19]
    for row, code in zip(rng.choice(now, 14, replace=False), rng.choice(items, 14), strict=True):
        text.loc[row, code] = text.loc[row, code].translate(FULL_WIDTH)
    for row, code in zip(rng.choice(now, 12, replace=False), rng.choice(items, 12), strict=True):
        text.loc[row, code] = text.loc[row, code] + " "
    for row in rng.choice(now, 4, replace=False):
        text.loc[row, "line"] = text.loc[row, "line"] + "  "
    for plain, words in ANSWER_TEXT.items():
        found = now[(text["C45"].iloc[now] == plain).to_numpy()]
        text.loc[rng.choice(found, 3, replace=False), "C45"] = words
    return add_rows(text, rng.choice(now[:-40], 4, replace=False))


def add_rows(text: pd.DataFrame, like: np.ndarray) -> pd.DataFrame:
    """Append two rows whose id was seen before and two whose weight is none."""
    extra = text.loc[like].copy()
    extra.iloc[1, [text.columns.get_loc(code) for code in ("C21", "C22", "overall")]] = "3"
    extra.iloc[2:, text.columns.get_loc("id")] = ["26Q3-9001", "26Q3-9002"]
    extra.iloc[2:, text.columns.get_loc("weight")] = ["0", ""]
    return pd.concat([text, extra], ignore_index=True)


def spoil(text: pd.DataFrame) -> pd.DataFrame:
    """Thirty rows with answers that the codebook does not know: reading them must fail, and say where."""
    spoilt = text[text["quarter"] == CURRENT].head(30).reset_index(drop=True)
    wrong = {
        "C11": "11",
        "C22": "97",
        "C31": "0",
        "C45": "还行",
        "P1": "7.5",
        "overall": "-1",
        "nps": "12",
        "L1": "七",
    }
    for row, (code, value) in enumerate(wrong.items()):
        spoilt.loc[3 * row + 2, code] = value
    return spoilt


CUSTOMERS = {"gansu": 310_000, "xian": 420_000, "qinghai": 95_000}
COMPLAINTS = {"broadband_repair": 0.55, "network": 0.40, "charges": 0.30, "unsolved": 0.22, "spam": 0.09}
"""Complaints per 1,000 customers and quarter, the same everywhere but for the changes below."""

COMPLAINT_SHIFTS = (
    ({"branch": "xian"}, {"network": 0.6, "unsolved": 1.5}),
    ({"branch": "gansu", "quarter": "2026Q3"}, {"unsolved": 0.55, "spam": 1.4}),
)
AUDIT = {
    "environment": (20, 0.01),
    "signage": (20, 0.04),
    "facilities": (21, 0.24),
    "leaflets": (4, 0.30),
    "cross_region": (10, 0.02),
    "appearance": (10, 0.03),
    "manner": (15, 0.05),
}
"""Criterion → full marks (those of the study's audit), chance that half a mark is lost."""

STEPS = {"dispatch": (2, 0.9, 0.7), "repair": (24, 9.0, 1.0), "callback": (24, 10.0, 0.6)}
"""Step of a repair → limit in hours, median hours, spread of their logarithm."""

SEEN = pd.Timestamp("2026-09-30 18:00")
"""When the log of repairs was written: what had no end then was still open."""


def draw_complaints() -> pd.DataFrame:
    """Complaints per quarter, branch and cause: Poisson counts around the rates."""
    rng = np.random.Generator(np.random.PCG64(SEED + 2))
    rows = []
    for quarter in QUARTERS:
        for branch, customers in CUSTOMERS.items():
            for cause, rate in COMPLAINTS.items():
                here = {"quarter": quarter, "branch": branch}
                shifts = [by[cause] for who, by in COMPLAINT_SHIFTS if who.items() <= here.items() and cause in by]
                count = rng.poisson(rate * customers / 1000 * float(np.prod(shifts)))
                rows.append({**here, "cause": cause, "complaints": count, "customers": customers})
    return pd.DataFrame(rows)


def draw_audits() -> pd.DataFrame:
    """Covert visits to three halls of each city of Gansu and two of Xi'an in the last two quarters.

    Two visits in 2026Q3. A hall that is worse is so in every visit.
    """
    rng = np.random.Generator(np.random.PCG64(SEED + 3))
    rows = []
    for branch, halls in (("gansu", 3), ("xian", 2)):
        for city in CITY_SHARE[branch]:
            for hall in range(1, halls + 1):
                worse = float(np.exp(rng.normal(0.0, 0.4)))
                for quarter, visit in (("2026Q2", 1), ("2026Q3", 1), ("2026Q3", 2)):
                    for criterion, (full, chance) in AUDIT.items():
                        lost = rng.binomial(2 * full, min(chance * worse, 0.9)) / 2
                        here = {"quarter": quarter, "branch": branch, "city": city, "hall": f"{city}-{hall:02d}"}
                        marks = {"full_marks": full, "score": f"{full - lost:.1f}"}
                        rows.append({**here, "visit": visit, "criterion": criterion, **marks})
    return pd.DataFrame(rows)


def draw_repairs() -> pd.DataFrame:
    """Broadband repairs of Gansu in the last three weeks of the quarter: each step begins as the one before ends."""
    rng = np.random.Generator(np.random.PCG64(SEED + 4))
    rows = []
    for case in range(1, 241):
        start = SEEN - pd.Timedelta(minutes=int(rng.integers(30, 21 * 24 * 60)))
        city = str(rng.choice(list(CITY_SHARE[OWN]), p=list(CITY_SHARE[OWN].values())))
        for step, (limit, median, spread) in STEPS.items():
            minutes = int(np.ceil(60 * median * np.exp(spread * rng.standard_normal())))
            end = start + pd.Timedelta(minutes=minutes)
            here = {"quarter": CURRENT, "branch": OWN, "city": city, "case": f"R{case:04d}", "step": step}
            told = {"start": f"{start:%Y-%m-%d %H:%M}", "end": f"{end:%Y-%m-%d %H:%M}" if end <= SEEN else ""}
            rows.append({**here, **told, "limit": limit})
            if end > SEEN:
                break
            start = end
    return pd.DataFrame(rows)


def write(text: pd.DataFrame, path: Path, *, mark: bool = False) -> None:
    """Write cells as UTF-8 lines; `mark` puts the byte-order mark first, as Excel in China does."""
    lines = [",".join(text.columns), *(",".join(row) for row in text.itertuples(index=False, name=None))]
    path.write_bytes("".join(f"{line}\n" for line in lines).encode("utf-8-sig" if mark else "utf-8"))


def main(folder: Path) -> None:
    """Write survey.csv (all quarters), 2026Q3.csv (the current one), 2026Q3_dirty.csv (unreadable on purpose).

    Beside them what the service recorded: complaints.csv, audits.csv, repairs.csv.
    """
    clean = as_text(synthesise())
    everything = soil(clean)
    write(everything, folder / "survey.csv")
    write(everything[everything["quarter"] == CURRENT], folder / f"{CURRENT}.csv", mark=True)
    write(spoil(clean), folder / f"{CURRENT}_dirty.csv")
    for name, table in (("complaints", draw_complaints()), ("audits", draw_audits()), ("repairs", draw_repairs())):
        write(table.astype(str), folder / f"{name}.csv")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
