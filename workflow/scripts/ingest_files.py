from relaxor.ingest import ingest
from relaxor.steps import run_step

run_step(ingest, snakemake)
