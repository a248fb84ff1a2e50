"""`sound-detector calibrate`: thresholds and a gate's floor at which a room stays silent."""
