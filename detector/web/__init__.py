"""The web page: a process of its own beside the daemon, a subscriber of the event socket like any other."""
