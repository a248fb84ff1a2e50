"""Networks as data: a graph of operations, what it answers, and its files for the two runtimes."""
