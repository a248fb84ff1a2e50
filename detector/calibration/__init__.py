"""CALIBRATE: the room as it is when nothing happens -> the gate's floor and thresholds that stay silent."""
