"""TRANSFER LEARNING: folders of clips -> a model bundle; an extra, never imported by the daemon."""
