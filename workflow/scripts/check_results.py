from relaxor.checks import check_results
from relaxor.steps import run_step

run_step(check_results, snakemake)
