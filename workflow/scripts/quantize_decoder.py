from relaxor.inpainting.learning import quantize_decoder
from relaxor.project.snakemake_adapter import run_step

run_step(quantize_decoder, snakemake)
