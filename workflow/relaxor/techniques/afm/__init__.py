"""Atomic force microscopy of flakes."""
