"""Second-harmonic generation."""
