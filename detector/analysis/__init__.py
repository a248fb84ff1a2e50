"""Recordings to events, tables, pictures and pages, through the daemon's own pipeline, on all cores."""
