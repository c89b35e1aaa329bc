"""Who answered what: `read_survey` gives a `Survey`, which every method of csat takes."""

from csat.read import INSIDE
from csat.survey.quality import Quality
from csat.survey.rows import BATCH_ROWS, Survey, read_survey

__all__ = ["BATCH_ROWS", "INSIDE", "Quality", "Survey", "read_survey"]
