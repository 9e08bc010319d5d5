from relaxor.inpainting.learning import train_decoder
from relaxor.steps import run_step

run_step(train_decoder, snakemake)
