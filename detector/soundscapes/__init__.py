"""Recordings with known truth: clips laid over a background at given signal-to-noise ratios."""
