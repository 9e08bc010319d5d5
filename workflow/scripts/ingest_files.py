from relaxor.project.ingest import ingest
from relaxor.project.snakemake_adapter import run_step

run_step(ingest, snakemake)
