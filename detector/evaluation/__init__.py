"""How good it is: datasets of clips and annotated recordings against what the daemon's own pipeline says."""
