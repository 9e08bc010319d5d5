# Settings and sheet, checked before any job is planned, and the names of things.
import os

from snakemake.exceptions import WorkflowError

from relaxor.project.settings import validate_settings
from relaxor.project.figure_list import load_figures
from relaxor.core.errors import RelaxorError
from relaxor.inpainting.idx import NAMES, letter_files
from relaxor.core.remote import require_storage, storage_of
from relaxor.project.sheet import load_sheet, require_samples
from relaxor.project.snakemake_adapter import sources
from relaxor.reporting.draw import drawing_module
from relaxor.techniques.registry import MODULES, OTHER

# The workflow's own folder, seen from the working directory: another one where a workflow uses this one as a module.
HERE = os.path.relpath(workflow.current_basedir.join("../..").get_path_or_uri(secret_free=True))


def beside(path):
    """A file of the settings: in the working directory, or else the workflow's own."""
    own = os.path.normpath(os.path.join(HERE, path))
    return own if os.path.exists(own) and not os.path.exists(path) else path


# Scripts find the library also in the environments of --sdm conda, and linear algebra rounds alike on any number of cores.
os.environ.update(
    PYTHONPATH=os.path.abspath(os.path.join(HERE, "workflow")),
    NPROC="1",  # of JAX
    OMP_NUM_THREADS="1",
    OPENBLAS_NUM_THREADS="1",
    MKL_NUM_THREADS="1",
)

try:
    SETTINGS = validate_settings(config)
    SPECIFICATIONS = beside(SETTINGS.figures)
    FIGURES = load_figures(SPECIFICATIONS)
    PANELS = tuple(panel.id for figure in FIGURES.values() for panel in figure.panels.values())
    SHEET = load_sheet(SETTINGS.sheet, tables=tuple(SETTINGS.tables), panels=PANELS)
    require_samples([SETTINGS.sample, *SETTINGS.samples], SHEET, SETTINGS.sheet)
    LETTER_FILES = letter_files(SETTINGS.inpainting.letters.source, SETTINGS.inpainting.letters.folder)
except RelaxorError as error:
    raise WorkflowError(str(error)) from None

PLAIN = SETTINGS.model_dump(mode="json")
RESULTS, SAMPLE = SETTINGS.results, SETTINGS.sample
ROWS, SAMPLES = {}, {}  # (sample, technique) -> rows of the sheet; sample -> its techniques
for row in SHEET:
    ROWS.setdefault((row["sample"], row["technique"]), []).append(row)
for sample, technique in sorted(ROWS):
    SAMPLES.setdefault(sample, []).append(technique)
TECHNIQUES = [technique for technique in SAMPLES[SAMPLE] if technique in MODULES]
PARTS = {"characterization": [], "synapse": []}
for technique in TECHNIQUES:
    PARTS["synapse" if technique in ("sweeps", "pulses", "light") else "characterization"].append(technique)
if "light" in TECHNIQUES and PLAIN["encoder"]["wavelength"]:
    PARTS |= {"inpainting": ["inpainting"], "crossbar": ["crossbar"]}
ENCODER = f"{RESULTS}/analysis/{SAMPLE}/encoder.json" if "inpainting" in PARTS else []
EMNIST = sorted(NAMES.values())
ANALYSED = [technique for techniques in PARTS.values() for technique in techniques]
COMPARING = sorted({number["technique"] for number in PLAIN["devices"]["numbers"].values()})
COMPARED = {"pulses", "light"} <= set(TECHNIQUES)
# Figures of which every panel has what it shows, and their notebooks: a sample without light has no Fig. 4 and 5.
MISSING = {
    name
    for name, figure in FIGURES.items()
    for panel in figure.panels.values()
    if panel.technique not in (None, *ANALYSED) or panel.table and not COMPARED
}
FIGURES = {name: figure for name, figure in FIGURES.items() if name not in MISSING}
STORIES = os.path.normpath(f"{HERE}/notebooks")
NOTEBOOKS = {os.path.splitext(name)[0] for name in os.listdir(STORIES) if name.endswith(".ipynb")}
NOTEBOOKS = sorted(NOTEBOOKS - MISSING - {"supplement" if MISSING else ""})
# What config/figures.yaml does not show, and techniques that samples share.
OWN = [
    (sample, technique)
    for sample, techniques in SAMPLES.items()
    for technique in techniques
    if sample != SAMPLE or technique == OTHER
]
SHARED = {
    technique: holders
    for technique in MODULES
    if len(holders := [sample for sample, techniques in SAMPLES.items() if technique in techniques]) > 1
}
DATA = f"{RESULTS}/data/{{sample}}/"
ANALYSIS = f"{RESULTS}/analysis/{{sample}}/"
LOGS = f"{RESULTS}/logs/"
FORMATS = SETTINGS.formats
SUFFIXES = ("csv", "md", "tex")
BENCHMARKS = ".snakemake/benchmarks/"
ENVIRONMENT = "../../envs/analysis.yaml"
ORIGIN = "simulated" if any(row["origin"] == "simulated" for row in SHEET) else "measured"


def rows_of(wildcards):
    """The rows of the sheet of one technique of one sample."""
    return ROWS[wildcards.sample, wildcards.technique]


def raw_file(row):
    """The file of a row, which Snakemake fetches and keeps if it lies elsewhere."""
    url = row["file"]
    return getattr(storage, require_storage(url))(url, keep_local=True) if storage_of(url) else url


def settings_of(sample, technique):
    """How one technique of one sample is analysed."""
    return getattr(SETTINGS.of(sample), technique).model_dump(mode="json")


def analysed(technique, file):
    """A file that the analysis of a technique writes for the sample of the figures."""
    return f"{ANALYSIS}{technique}/{file}".format(sample=SAMPLE)


def shown(figure, file):
    """The files of the techniques that a figure shows."""
    techniques = {panel.technique: None for panel in FIGURES[figure].panels.values() if panel.technique}
    return [analysed(technique, file) for technique in techniques]


def figure_files(*numbers):
    """The files of figures, by their numbers, as far as the sample has them."""
    names = [f"figure{number}" for number in numbers if f"figure{number}" in FIGURES]
    return [f"{RESULTS}/figures/{name}.{suffix}" for name in names for suffix in FORMATS]


def settings_drawn(notebook):
    """The list of figures, and the settings that a notebook's figure draws; without a figure, those that any draws."""
    figures = [FIGURES[notebook]] if notebook in FIGURES else FIGURES.values()
    sections = {panel.settings for figure in figures for panel in figure.panels.values() if panel.settings}
    return {"figures": SPECIFICATIONS} | {section: PLAIN[section] for section in sorted(sections)}


def drawn(stem, figure, panel):
    """A figure or panel in every format; the report shows the png."""
    labels = {"figure": figure.title, "panel": panel, "data": ORIGIN}
    shown_in = dict(caption="../report/figure.rst", category=figure.category, labels=labels)
    files = [f"{RESULTS}/figures/{stem}.{suffix}" for suffix in FORMATS]
    return [report(file, **shown_in) if file.endswith(".png") else file for file in files]


def trainings(file):
    """A file of every training of the decoders, the seeds of a hole one after the other."""
    holes, seeds = PLAIN["inpainting"]["holes"], PLAIN["inpainting"]["seeds"]
    return [f"{RESULTS}/inpainting/{{sample}}/hole{hole}_seed{seed}/{file}" for hole in holes for seed in seeds]


def of_first_seed(file):
    """A file of the first training of every hole, the largest hole last."""
    return trainings(file)[:: len(PLAIN["inpainting"]["seeds"])]


def printed(technique, suffix):
    """The table of a technique in one format; the report shows the csv."""
    file = f"{RESULTS}/tables/{technique}.{suffix}"
    labels = {"table": technique, "data": ORIGIN}
    shown_in = dict(caption="../report/table.rst", category="Tables", labels=labels)
    return report(file, **shown_in) if suffix == "csv" else file


def table_files(part):
    """The tables of one part of the paper."""
    return [f"{RESULTS}/tables/{technique}.{suffix}" for technique in PARTS.get(part, []) for suffix in SUFFIXES]


def analysis_of(file):
    """An input: what the analysis of a sample's technique writes; nothing where there is no analysis."""
    return lambda wildcards: [f"{ANALYSIS}{{technique}}/{file}"] if wildcards.technique in MODULES else []


def analyses_of(file):
    """An input: what the analysis of a technique writes, for every sample that has it."""
    path = f"{ANALYSIS}{{technique}}/{file}"
    return lambda wildcards: [
        path.format(sample=sample, technique=wildcards.technique) for sample in SHARED[wildcards.technique]
    ]


def pictured(stem, caption, labels):
    """A figure in every format; the report shows the png."""
    shown_in = dict(caption=f"../report/{caption}.rst", category="Samples", labels=labels)
    files = [f"{RESULTS}/figures/{stem}.{suffix}" for suffix in FORMATS]
    return [report(file, **shown_in) if file.endswith(".png") else file for file in files]


wildcard_constraints:
    sample="[A-Za-z0-9_.-]+",
    technique="|".join(sorted({row["technique"] for row in SHEET})),
    hole="[0-9]+",
    seed="[0-9]+",
