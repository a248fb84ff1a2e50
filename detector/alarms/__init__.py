"""Alarms that are known by their rhythm, whatever their pitch: from the spectra of the level meter."""
