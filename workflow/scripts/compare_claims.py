from relaxor.project.snakemake_adapter import run_step
from relaxor.reporting.claims import compare_claims

run_step(compare_claims, snakemake)
