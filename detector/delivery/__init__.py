"""From an event to every sink: numbers, history first, then one bounded queue per sink."""
