"""Readers of parameter analysers and of ferroelectric testers."""
