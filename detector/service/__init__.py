"""The running daemon: capture, the worker loop, signals, and what it says of itself."""
