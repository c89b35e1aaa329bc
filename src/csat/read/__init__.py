"""Read survey data in any form, validate them against the questionnaire, and account for every row and cell."""

from csat.read.clean import INSIDE, ROW, Cleaned, read_clean
from csat.read.faults import TableError, WeightWarning
from csat.read.fromfile import questionnaire_from_sav
from csat.read.ledger import CELL_REASONS, ROW_REASONS, Ledger, Tally
from csat.read.sources import spelled
from csat.read.weights import WeightReport

__all__ = [
    "CELL_REASONS",
    "INSIDE",
    "ROW",
    "ROW_REASONS",
    "Cleaned",
    "Ledger",
    "TableError",
    "Tally",
    "WeightReport",
    "WeightWarning",
    "questionnaire_from_sav",
    "read_clean",
    "spelled",
]
