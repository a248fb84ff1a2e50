"""The event socket: a server thread that every subscriber connects to."""
