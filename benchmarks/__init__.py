"""Timings against plain training, in one process and in turns: `python -m benchmarks`."""
