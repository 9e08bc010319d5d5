from relaxor.inpainting.chip_experiment import run_chips
from relaxor.project.snakemake_adapter import run_step

run_step(run_chips, snakemake)
