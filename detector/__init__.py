"""A real-time sound-event detector: a microphone in, labelled events out."""

__version__ = "0.1.0"
