from relaxor.inpainting.scoring import score_decoder
from relaxor.steps import run_step

run_step(score_decoder, snakemake)
