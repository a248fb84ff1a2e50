"""Clips: the sound around events, searched for speech and written by a process of its own."""
