from relaxor.project.snakemake_adapter import run_step
from relaxor.techniques.electrical_pulses.analysis import analyse

run_step(analyse, snakemake)
