"""Scores to events: labels, smoothing, hysteresis, dating, time. Pure."""
