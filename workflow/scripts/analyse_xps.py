from relaxor.project.snakemake_adapter import run_step
from relaxor.techniques.xps.analysis import analyse

run_step(analyse, snakemake)
