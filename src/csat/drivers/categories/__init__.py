"""Logit and ordered logit."""
