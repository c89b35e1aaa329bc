"""Who answered what: `read_survey` gives a `Survey`, which every method of csat takes."""

from csat.read import INSIDE
from csat.survey.calibrated import calibrate
from csat.survey.quality import Quality
from csat.survey.reader import read_survey
from csat.survey.rows import BATCH_ROWS, Survey
from csat.survey.summing import summarise

__all__ = ["BATCH_ROWS", "INSIDE", "Quality", "Survey", "calibrate", "read_survey", "summarise"]
