"""Readers of diffractometers, and of structures (CIF)."""
