"""Archives of recordings on several workers: what it costs, what kills do, and whether memory grows."""
