"""What was heard, kept for months: an SQLite file that is written before any subscriber is told."""
