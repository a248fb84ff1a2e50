"""Where blocks come from: microphone, sound file, pipe."""
