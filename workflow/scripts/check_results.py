from relaxor.project.snakemake_adapter import run_step
from relaxor.reporting.result_checks import check_results

run_step(check_results, snakemake)
