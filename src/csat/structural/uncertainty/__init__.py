"""Errors and tests beyond normal theory: sandwich, scaled tests, replicates."""
