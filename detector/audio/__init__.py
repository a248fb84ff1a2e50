"""Samples to windows: framing, level, gate, gain, ring buffer, window spans, log-mel. Pure."""
