"""Synaptic plasticity: how the current of the device answers pulses of voltage and light."""
