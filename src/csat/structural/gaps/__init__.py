"""Missing answers: full information, pairs, two-stage robust corrections."""
