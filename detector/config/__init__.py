"""Settings: their tree, where they are read from, and what is wrong with them."""
