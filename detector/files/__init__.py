"""Files and folders that the daemon makes for itself."""
