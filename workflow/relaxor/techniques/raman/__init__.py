"""Raman spectroscopy."""
