"""Labelled recordings on disk: clips in folders and tables, annotations in files."""
