"""Work done in other processes, and how many threads it may use."""
