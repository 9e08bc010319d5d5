from relaxor.steps import run_step
from relaxor.tables import write_tables

run_step(write_tables, snakemake)
