"""Implied moments, discrepancies and their minimum, for one sample or thousands."""
