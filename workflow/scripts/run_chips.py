from relaxor.crossbar.experiment import run_chips
from relaxor.steps import run_step

run_step(run_chips, snakemake)
