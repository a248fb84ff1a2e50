"""Where events go: the wire format, stdout, log file, socket."""
