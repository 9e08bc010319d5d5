from relaxor.inpainting.scoring import score_decoder
from relaxor.project.snakemake_adapter import run_step

run_step(score_decoder, snakemake)
