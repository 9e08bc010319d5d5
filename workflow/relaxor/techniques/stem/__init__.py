"""Scanning transmission electron microscopy of lattices."""
