"""What was asked: scales, items, processes, the index tree with its weights, grades, and texts per language."""

from csat.questionnaire.asked import Questionnaire
from csat.questionnaire.bookwriter import write_codebook
from csat.questionnaire.files import read_questionnaire
from csat.questionnaire.parts import GRADES, Column, Dimension, Grade, Item, Process
from csat.questionnaire.scales import MISSING_REASONS, Scale, Texts, text_of

__all__ = [
    "GRADES",
    "MISSING_REASONS",
    "Column",
    "Dimension",
    "Grade",
    "Item",
    "Process",
    "Questionnaire",
    "Scale",
    "Texts",
    "read_questionnaire",
    "text_of",
    "write_codebook",
]
