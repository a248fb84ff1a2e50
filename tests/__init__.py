"""The tests, in the same rooms as the package; a package itself, or another of this name could shadow it."""
