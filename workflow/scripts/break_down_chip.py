from relaxor.inpainting.chip_breakdown import break_down_chip
from relaxor.project.snakemake_adapter import run_step

run_step(break_down_chip, snakemake)
