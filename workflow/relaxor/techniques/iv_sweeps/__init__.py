"""Current–voltage sweeps."""
