"""A project of a lab: measurement sheet, settings, ingestion, checks before a run, the interface to Snakemake."""
