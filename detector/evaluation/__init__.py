"""`sound-detector evaluate`: the daemon's own pipeline on datasets of clips and on annotated recordings."""
