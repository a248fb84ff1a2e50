"""Models on this machine: list, pull, verify, convert."""

from detector.modelstore.store import available, find, load_classifier, load_embedder

__all__ = ["available", "find", "load_classifier", "load_embedder"]
