from relaxor.project.snakemake_adapter import run_step
from relaxor.techniques.pfm.analysis import analyse

run_step(analyse, snakemake)
