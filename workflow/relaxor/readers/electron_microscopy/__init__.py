"""Readers of electron microscopes and of their X-ray spectrometers."""
