from relaxor.inpainting.learning import train_decoder
from relaxor.project.snakemake_adapter import run_step

run_step(train_decoder, snakemake)
