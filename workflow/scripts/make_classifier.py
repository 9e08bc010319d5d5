from relaxor.inpainting.classifier import make_classifier
from relaxor.project.snakemake_adapter import run_step

run_step(make_classifier, snakemake)
