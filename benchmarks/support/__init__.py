"""What several benchmarks use: sounds, soundscapes, child processes, tables of figures."""
