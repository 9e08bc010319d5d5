# Settings and sheet, checked before any job is planned, and the names of things.
import os
from pathlib import Path
from types import SimpleNamespace

from snakemake.exceptions import WorkflowError
from snakemake.logging import logger

import relaxor
from relaxor.core.checksums import sha256
from relaxor.core.errors import RelaxorError, SheetError
from relaxor.core.extras import lacking
from relaxor.core.parallel import FILES_PER_CORE
from relaxor.core.remote import is_remote, require_s3, version_of
from relaxor.core.section import read_yaml
from relaxor.inpainting.idx import NAMES, letter_files
from relaxor.inpainting.topics import topics
from relaxor.project.figure_list import fed_panels, load_figures
from relaxor.project.formats import ARCHIVE, known_files, reader_modules
from relaxor.project.pipeline import beside, pipeline_folder
from relaxor.project.published import load_registry, public_folders, samples_of, settings_of, techniques_of
from relaxor.project.published import rows_of as rows_of_sets
from relaxor.project.settings import validate_settings
from relaxor.project.sheet import main_sample, require_samples
from relaxor.project.snakemake_adapter import code_of
from relaxor.reporting.notebooks import told_panels
from relaxor.reporting.panels import drawing_modules, panel_modules, panel_of, topic_of
from relaxor.readers import readers
from relaxor.readers.common.sizes import allow_sizes
from relaxor.techniques.registry import OTHER, module_of, techniques

# The folder of this workflow relative to the working directory, which differs if another workflow uses this one as a module.
HERE = os.path.relpath(pipeline_folder())

# Scripts find the library also in the environments of --sdm conda, and linear algebra gives the same digits on any number
# of cores.
os.environ.update(
    PYTHONPATH=os.path.dirname(os.path.dirname(relaxor.__file__)),
    NPROC="1",  # of JAX
    OMP_NUM_THREADS="1",
    OPENBLAS_NUM_THREADS="1",
    MKL_NUM_THREADS="1",
)

try:
    if missing := lacking("workflow"):
        raise WorkflowError(missing)
    for path in workflow.configfiles:  # of a key that stands twice, Snakemake drops the first in silence
        read_yaml(path)
    SETTINGS = validate_settings(config)
    if SETTINGS.size_limits:
        allow_sizes(SETTINGS.size_limits, readers())
    SPECIFICATIONS = beside(SETTINGS.figures)
    FIGURES = load_figures(SPECIFICATIONS)
    PANELS = {panel.id: panel_of(panel) for figure in FIGURES.values() for panel in figure.panels.values()}
    SHEET = SETTINGS.load_sheet(panels=tuple(PANELS))
    if not SHEET:
        raise SheetError(f"{SETTINGS.sheet}: has no rows yet; 'relaxor add SAMPLE FOLDER' adds raw files to it")
    SAMPLE = main_sample(SETTINGS.sample, SHEET)
    require_samples(filter(None, [SETTINGS.sample, *SETTINGS.samples]), SHEET, SETTINGS.sheet)
    FED = fed_panels(FIGURES, SHEET, SAMPLE)
    LIGHT = "optical_pulses"  # the technique whose fitted response encodes images
    HELD = {row["technique"] for row in SHEET if row["sample"] == SAMPLE}
    ENCODING = LIGHT in HELD and SETTINGS.encoder.wavelength is not None
    if ENCODING and (missing := lacking("inpainting")):
        logger.warning(f"{missing}. Without it, only parts that train no network can be made.")
    STORIES = {name: beside(f"notebooks/{name}.ipynb") for name in SETTINGS.notebooks}
    TOLD = {name: told_panels(notebook) for name, notebook in STORIES.items()}
    VALIDATION = beside(SETTINGS.validation)
    REGISTRY = load_registry(VALIDATION)
    PUBLISHED = settings_of(REGISTRY, VALIDATION)
    PUBLISHED_SHEET = rows_of_sets(REGISTRY, VALIDATION, f"{SETTINGS.results}/validation/raw")
    LETTER_FILES = letter_files(SETTINGS.inpainting.letters.source, SETTINGS.inpainting.letters.folder)
except RelaxorError as error:
    raise WorkflowError(str(error)) from None

PLAIN = SETTINGS.model_dump(mode="json")
RESULTS = SETTINGS.results
ROWS, SAMPLES = {}, {}  # (sample, technique) -> rows of the sheet; sample -> its techniques
for row in SHEET:
    ROWS.setdefault((row["sample"], row["technique"]), []).append(row)
for sample, technique in sorted(ROWS):
    SAMPLES.setdefault(sample, []).append(technique)
SETS = techniques_of(PUBLISHED_SHEET)  # samples of public data with published numbers -> their techniques
FUNCTIONS_OF_SETS = sorted({each.function.partition(":")[0] for each in REGISTRY.sets.values() if each.function})
if same := sorted(SETS.keys() & SAMPLES.keys()):
    raise WorkflowError(
        f"{VALIDATION}: '{same[0]}' is also a sample of {SETTINGS.sheet}; give one of them another name"
    )
for row in PUBLISHED_SHEET:
    ROWS.setdefault((row["sample"], row["technique"]), []).append(row)
KNOWN_FILES = known_files(dict.fromkeys(row["file"] for row in SHEET))
EMNIST = sorted(NAMES.values())
TECHNIQUES = sorted(HELD - {OTHER})
ANALYSED = TECHNIQUES + ["inpainting", "crossbar"] * ENCODING  # topics of the sample that have numbers
COMPARING = sorted({number.technique for number in SETTINGS.devices.numbers.values()} & set(TECHNIQUES))
# Figures of which a panel has no data are left out: a sample without pulses of light has no Fig. 4 and 5.
MISSING = {
    name
    for name, figure in FIGURES.items()
    for panel in figure.panels.values()
    if (topic_of(panel) in techniques() and panel.id not in FED)
    or (topic_of(panel) not in ("", *techniques()) and topic_of(panel) not in ANALYSED)
    or (PANELS[panel.id].table and not COMPARING)
}
FIGURES = {name: figure for name, figure in FIGURES.items() if name not in MISSING}
PARTS = dict.fromkeys([*(figure.part for figure in FIGURES.values()), *(topics()[topic].part for topic in ANALYSED)])
DRAWN = {panel.id for figure in FIGURES.values() for panel in figure.panels.values()}
# A figure of which no notebook tells gets the template, which is told its name, as are copies of it under that name.
GENERIC = {name for name in FIGURES.keys() & STORIES if not TOLD[name]}
for name, figure in FIGURES.items():
    if name not in STORIES and set().union(*TOLD.values()).isdisjoint(panel.id for panel in figure.panels.values()):
        STORIES[name] = beside("notebooks/figure.ipynb")
        GENERIC.add(name)
TOLD |= {name: {panel.id for panel in FIGURES[name].panels.values()} for name in GENERIC}
# Notebooks of which all panels are drawn; without an analysis, they have nothing to tell.
NOTEBOOKS = [name for name, panels in TOLD.items() if panels <= DRAWN] if ANALYSED else []
# Figures that are not in config/figures.yaml, and techniques that several samples have.
SHOWN = {row["technique"] for row in SHEET if row["sample"] == SAMPLE and DRAWN & {*row["panel"].split(",")}}
OWN = [
    (sample, technique)
    for sample, techniques_of_sample in SAMPLES.items()
    for technique in techniques_of_sample
    if sample != SAMPLE or technique not in SHOWN
]
SHARED = {
    technique: holders
    for technique in techniques()
    if len(holders := [sample for sample, held in SAMPLES.items() if technique in held]) > 1
}
DATA = f"{RESULTS}/data/{{sample}}/"
ANALYSIS = f"{RESULTS}/analysis/{{sample}}/"
LOGS = f"{RESULTS}/logs/"
FETCHED = f".snakemake/storage/{RESULTS}/"
FORMATS = SETTINGS.formats
SUFFIXES = ("csv", "md", "tex", "html")
BENCHMARKS = ".snakemake/benchmarks/"
ENVIRONMENT = "../../envs/analysis.yaml"
ORIGIN = "simulated" if any(row["origin"] == "simulated" for row in SHEET) else "measured"
ENCODER = f"{RESULTS}/analysis/{SAMPLE}/encoder.json" if ENCODING else []


def calls(function, *modules):
    """The parameters of a job that calls a function of the library: its name, and the hash of the code behind it."""
    return {"function": function, "code": code_of(function, *modules)}


def rows_of(wildcards):
    """The rows of the sheet of one technique of one sample."""
    return ROWS[wildcards.sample, wildcards.technique]


def megabytes(wildcards):
    """The size of the largest raw file of one technique of one sample."""
    files = [fetched(row["file"]) if is_remote(row["file"]) else row["file"] for row in rows_of(wildcards)]
    return max(map(os.path.getsize, filter(os.path.isfile, files)), default=0) // 2**20


def memory(least, factor):
    """Megabytes that a job asks for: some for the programs, and a multiple of its largest raw file."""
    return lambda wildcards: least + factor * megabytes(wildcards)


def processors(wildcards):
    """Cores of an analysis: processes pay for many spectra, in files or in a large one, and nodes of clusters have few."""
    shared = len(rows_of(wildcards)) // FILES_PER_CORE + megabytes(wildcards)
    return 1 + min(shared, 15) if techniques()[wildcards.technique].parallel else 1


def limits_of(wildcards):
    """The sizes that the settings allow for the formats of some rows."""
    formats = {KNOWN_FILES[row["file"]].format if row["file"] in KNOWN_FILES else None for row in rows_of(wildcards)}
    allowed = PLAIN["size_limits"]
    if formats & {None, ARCHIVE}:
        return allowed
    return {name: allowed[name] for name in sorted(allowed.keys() & {*formats, "columns", "text_table"})}


def ingested(wildcards):
    """What an ingestion depends on: the cells of these rows, without panels and notes, and the content of the files."""
    rows = rows_of(wildcards)
    sums = [KNOWN_FILES[row["file"]].sha256 if row["file"] in KNOWN_FILES else None for row in rows]
    cells = [{key: row[key] for key in row if key not in ("panel", "note")} for row in rows]
    return [{**row, "sha256": known} if known else row for row, known in zip(cells, sums)]


def files_of(sample, techniques):
    """The raw file of each measurement of some techniques of a sample."""
    return {row["measurement"]: row["file"] for technique in techniques for row in ROWS.get((sample, technique), [])}


def raw_file(row):
    """The file of a row; from another host, a rule fetches it, or a plugin of Snakemake if it is in S3."""
    file = row["file"]
    if not is_remote(file):
        return file
    if file.startswith("s3:"):
        require_s3(file)
        return storage.s3(file, keep_local=True)
    return fetched(file)


def fetched(url):
    """Where a file from a web server is kept."""
    return FETCHED + url.replace("://", "/", 1)


def readers_of(wildcards):
    """The modules that read the files of some rows."""
    rows = rows_of(wildcards)
    described = any(row["table"] for row in rows)
    tables = [f"relaxor.readers.tables.{name}" for name in ("columns", "text_table") if described]
    found = [known.format if (known := KNOWN_FILES.get(row["file"])) else None for row in rows if not row["table"]]
    return [*reader_modules(found), *tables]


def tables_of(wildcards):
    """The descriptions of the text tables that some rows name."""
    plain = PUBLISHED.plain_tables() if wildcards.sample in SETS else PLAIN["tables"]
    return {name: plain[name] for row in rows_of(wildcards) if (name := row["table"]) in plain}


def layers_of(wildcards):
    """The settings of library, instrument, lab and sample of one technique of one sample."""
    settings = PUBLISHED if wildcards.sample in SETS else SETTINGS
    return settings.layers(wildcards.technique, wildcards.sample)


def technique_modules(technique):
    """The modules that make the numbers of a technique: its analysis and its settings."""
    own = techniques()[technique]
    return [own.analyse.__module__, own.settings.__module__]


def analysed(topic, file, sample=SAMPLE):
    """A file that the analysis of a topic writes for a sample, by default that of the figures."""
    return f"{ANALYSIS}{topic}/{file}".format(sample=sample)


def shown(figure, file):
    """The files of the topics that a figure shows, each of its sample."""
    panels = [panel for panel in FIGURES[figure].panels.values() if topic_of(panel)]
    found = dict.fromkeys((topic_of(panel), panel.sample or SAMPLE) for panel in panels)
    return [analysed(topic, file, sample) for topic, sample in found]


def modules_drawing(panels):
    """The modules that draw panels."""
    return sorted({module for panel in panels for module in drawing_modules(panel)})


def told(notebook):
    """The names of the figures that a notebook explains: the one of its name, or all."""
    return [notebook] if notebook in FIGURES else list(FIGURES)


def told_of(notebook):
    """The panels of the figures that a notebook explains."""
    return [panel for name in told(notebook) for panel in FIGURES[name].panels.values()]


def fed(panels):
    """The measurements that each panel shows; none if it shows all measurements of its topic."""
    return {panel.id: FED.get(panel.id, []) if topic_of(panel) in techniques() else None for panel in panels}


def settings_drawn(figures):
    """The sections of the settings that the schematics of figures draw."""
    sections = {PANELS[panel.id].settings for figure in figures for panel in figure.panels.values()} - {""}
    return {section: PLAIN[section] for section in sorted(sections)}


def drawn(stem, figure, panel):
    """A figure or panel in every format; the report shows the png."""
    labels = {"figure": figure.title.partition(".")[0], "panel": panel, "data": ORIGIN}
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


def printed(topic, suffix, caption="table", sample=""):
    """The table of a topic in one format, of the sample of the paper or of another; the report shows the page of HTML."""
    file = f"{RESULTS}/tables/{sample and f'samples/{sample}/'}{topic}.{suffix}"
    labels = {"table": " ".join(filter(None, (topic, sample))), "data": ORIGIN}
    shown_in = dict(caption=f"../report/{caption}.rst", category="Tables", labels=labels)
    return report(file, **shown_in) if suffix == "html" else file


def of_part(part):
    """The figures and tables of one part of the work, including the encoder in the part to which its technique belongs."""
    figures = [name for name, figure in FIGURES.items() if figure.part == part]
    tables = [topic for topic in ANALYSED if topics()[topic].part == part]
    return [
        *(f"{RESULTS}/figures/{name}.{suffix}" for name in figures for suffix in FORMATS),
        *(f"{RESULTS}/tables/{topic}.{suffix}" for topic in tables for suffix in SUFFIXES),
        *([ENCODER] if ENCODING and part == techniques()[LIGHT].part else []),
    ]


def analysis_of(file):
    """An input: the files that the analysis of a technique of a sample writes; none if it is not analysed."""
    return lambda wildcards: [f"{ANALYSIS}{{technique}}/{file}"] if wildcards.technique in techniques() else []


def analyses_of(file):
    """An input: the files that the analysis of a technique writes, for every sample that has the technique."""
    path = f"{ANALYSIS}{{technique}}/{file}"
    return lambda wildcards: [
        path.format(sample=sample, technique=wildcards.technique) for sample in SHARED[wildcards.technique]
    ]


def analyses_of_sets(wildcards):
    """The numbers of every set of which all files are there."""
    files = checkpoints.provide_public_files.get().output.files
    return [
        f"{ANALYSIS}{technique}/parameters.csv".format(sample=sample)
        for sample in samples_of(files)
        for technique in SETS.get(sample, [])
    ]


def pictured(stem, caption, labels, category="Samples"):
    """A figure in every format; the report shows the png."""
    shown_in = dict(caption=f"../report/{caption}.rst", category=category, labels=labels)
    files = [f"{RESULTS}/figures/{stem}.{suffix}" for suffix in FORMATS]
    return [report(file, **shown_in) if file.endswith(".png") else file for file in files]


def steps_of(sample, technique):
    """The rules that made the results of a technique of a sample, each with the hash of its code."""
    row = SimpleNamespace(sample=sample, technique=technique)
    steps = [["ingest_files", code_of("relaxor.project.ingest", *readers_of(row))]]
    if technique == OTHER:
        return steps
    return [*steps, ["analyse_technique", code_of("relaxor.project.analysis", *technique_modules(technique))]]


def made_before(path):
    """A table that another run makes, with its hash, so that what shows it is made again when it changes."""
    return {path: sha256(Path(path))} if os.path.exists(path) else {}


def reading_of(wildcards):
    """How the letters of a training are read: its hole, its seed, and the variation from device to device."""
    variation = PLAIN["inpainting"]["device_variation"]
    return {"hole": int(wildcards.hole), "seed": int(wildcards.seed), "device_variation": variation}


def chip_settings(*names):
    """The settings of the chip that all its jobs use, and the named ones, so that others do not rerun a job."""
    return {name: PLAIN["crossbar"][name] for name in ("chip", "copies", "elapsed", "correct_columns", *names)}


wildcard_constraints:
    sample="[A-Za-z0-9_.-]+",
    technique="|".join(sorted({technique for _, technique in ROWS})),
    hole="[0-9]+",
    seed="[0-9]+",
