"""Relative importance: parts of R², their order and their differences."""
