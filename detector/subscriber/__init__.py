"""Programs that connect to a running daemon: `listen` and `status`."""
