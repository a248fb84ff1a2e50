"""Settings -> objects: the only place that knows every concrete class."""
