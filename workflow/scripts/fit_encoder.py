from relaxor.project.snakemake_adapter import run_step
from relaxor.synapse.photoresponse.analysis import fit_encoder

run_step(fit_encoder, snakemake)
