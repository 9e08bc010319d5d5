"""Synaptic plasticity: from recorded traces of pulses to events, and from events to the laws that they follow."""
