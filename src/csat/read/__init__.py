"""Read survey data in any form, validate them against the questionnaire, and account for every row and cell."""

from csat.read.clean import INSIDE, ROW, Cleaned, read_clean
from csat.read.ledger import CELL_REASONS, ROW_REASONS, Ledger, Tally
from csat.read.sources import spelled

__all__ = ["CELL_REASONS", "INSIDE", "ROW", "ROW_REASONS", "Cleaned", "Ledger", "Tally", "read_clean", "spelled"]
