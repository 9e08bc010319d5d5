from relaxor.claims import compare_claims
from relaxor.steps import run_step

run_step(compare_claims, snakemake)
