from relaxor.inpainting.classifier import make_classifier
from relaxor.steps import run_step

run_step(make_classifier, snakemake)
