"""Piezoresponse force microscopy."""
