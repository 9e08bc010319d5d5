from relaxor.inpainting.learning import quantize_decoder
from relaxor.steps import run_step

run_step(quantize_decoder, snakemake)
