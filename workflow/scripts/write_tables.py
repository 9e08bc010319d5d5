from relaxor.project.snakemake_adapter import run_step
from relaxor.reporting.tables import write_tables

run_step(write_tables, snakemake)
