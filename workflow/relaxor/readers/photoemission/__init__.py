"""Readers of photoelectron spectrometers."""
