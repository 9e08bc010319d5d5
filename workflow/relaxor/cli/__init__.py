"""The command ``relaxor``."""
