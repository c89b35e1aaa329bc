"""Stepwise regression, best subsets, and how stable a selection is."""
