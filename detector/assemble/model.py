"""The model that the settings mean, its heads among them."""

from __future__ import annotations

from dataclasses import replace

from detector import modelstore
from detector.config.settings import Settings


def pinned(settings: Settings, *, strict: bool = False) -> Settings:
    """The settings, naming the heads that are there now; `strict` as in `found_heads`. Raises ModelError."""
    model = settings.model
    if model.heads is not None:
        return settings
    return replace(settings, model=replace(model, heads=modelstore.found_heads(model.name, strict=strict)))


def select(settings: Settings) -> modelstore.Selection:
    """What the settings name; needs no model file. Raises ModelError."""
    model = pinned(settings).model
    return modelstore.select(model.name, model.heads or ())


def load_model(settings: Settings) -> modelstore.Model:
    """Load what the settings name. Raises ModelError."""
    model = settings.model
    return modelstore.load_model(
        select(settings), runtime=model.runtime, threads=model.threads, prior=model.prior
    )
