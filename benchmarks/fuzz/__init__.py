"""Damaged inputs for everything that a stranger controls."""
