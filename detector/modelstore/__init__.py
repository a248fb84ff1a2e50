"""Models on this machine: list, pull, verify, convert."""
