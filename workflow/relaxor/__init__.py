"""relaxor: from raw instrument files to figures and tables with uncertainties."""

__version__ = "0.1.0"
