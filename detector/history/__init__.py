"""Events kept for months, in an SQLite file that is written before any subscriber gets them."""
