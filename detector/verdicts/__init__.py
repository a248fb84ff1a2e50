"""What people said of events, and what follows from it for the events that come next."""
