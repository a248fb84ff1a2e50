"""Notifications: rules choose events, and each target is told of them on a thread of its own."""
