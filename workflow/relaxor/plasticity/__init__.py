"""Synaptic plasticity: pulses and their responses, relaxation laws, potentiation and depression."""
