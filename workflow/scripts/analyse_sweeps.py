from relaxor.project.snakemake_adapter import run_step
from relaxor.techniques.iv_sweeps.analysis import analyse

run_step(analyse, snakemake)
