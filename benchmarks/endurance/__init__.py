"""What it survives: days of sound, kill -9, lost microphones, crowds of subscribers."""
