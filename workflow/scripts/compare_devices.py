from relaxor.project.snakemake_adapter import run_step
from relaxor.reporting.literature import compare

run_step(compare, snakemake)
