"""One foreign engine per file: voice activity detectors, model runtimes, model bundles."""
