"""Readers of optical spectrometers: Raman, photoluminescence, second harmonics."""
