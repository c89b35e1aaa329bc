"""Models against each other: differences, equalities, modification, invariance."""
