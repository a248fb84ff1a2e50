"""Scripts that measure the detector beside its peers; each is run as `python -m benchmarks.NAME`."""
