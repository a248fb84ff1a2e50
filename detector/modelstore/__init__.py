"""Models on this machine: list, pull, verify, convert."""

from detector.modelstore.catalogue import ModelCatalogue, available, find
from detector.modelstore.model import Model, load_model
from detector.modelstore.selection import DEFAULT, Selection, default_model, found_heads, select
from detector.modelstore.store import load_classifier, load_embedder

__all__ = [
    "DEFAULT",
    "Model",
    "ModelCatalogue",
    "Selection",
    "available",
    "default_model",
    "find",
    "found_heads",
    "load_classifier",
    "load_embedder",
    "load_model",
    "select",
]
