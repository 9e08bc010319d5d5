from relaxor.photoresponse.analysis import fit_encoder
from relaxor.steps import run_step

run_step(fit_encoder, snakemake)
