"""Ordered answers: thresholds, correlations of latent responses, weighted least squares."""
