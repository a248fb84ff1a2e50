"""One stream through several pipelines at once, where the networks score each window only once."""
