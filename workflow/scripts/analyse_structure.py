from relaxor.project.snakemake_adapter import run_step
from relaxor.techniques.structure.analysis import analyse

run_step(analyse, snakemake)
