"""Synaptic plasticity under voltage pulses."""
