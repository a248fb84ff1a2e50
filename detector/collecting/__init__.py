"""RECORD: clips of one sound from the microphone, for training."""
