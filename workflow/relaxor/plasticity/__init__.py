"""Synaptic plasticity: what pulses of voltage or light leave behind in the current of a device."""
