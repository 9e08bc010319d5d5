"""Synaptic plasticity under pulses of light."""
