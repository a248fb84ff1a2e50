"""What the page changes: the config file, taught models, the daemon that is paused. No route is here."""
