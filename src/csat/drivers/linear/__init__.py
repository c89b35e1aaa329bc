"""Linear regression on moments."""
