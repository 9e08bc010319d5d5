"""Readers of scanning probe microscopes."""
