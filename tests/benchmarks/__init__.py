"""Benchmarks: ``uv run pytest tests/benchmarks --benchmark-enable --benchmark-only -m "" -o addopts=``."""
