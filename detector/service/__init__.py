"""The running daemon: capture, the worker loop, signals, and its reports on itself."""
