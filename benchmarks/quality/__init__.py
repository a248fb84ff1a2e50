"""How well it hears: accuracy, false alarms, the gate, the gain, calibration, teaching."""
