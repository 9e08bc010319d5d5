from relaxor.project.snakemake_adapter import run_step
from relaxor.reporting.notebooks import run_notebook

run_step(run_notebook, snakemake)
