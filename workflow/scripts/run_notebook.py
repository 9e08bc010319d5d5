from relaxor.notebooks import run_notebook
from relaxor.steps import run_step

run_step(run_notebook, snakemake)
