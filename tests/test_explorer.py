"""The explorer, built from results and opened in a browser: from its folder, without a server and without a network."""

import base64
import hashlib
import json
import os
import re
import subprocess
import sys
import threading
import urllib.request
import zlib
from collections.abc import Iterator
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import quote

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from relaxor.core.netcdf import trees
from relaxor.core.results import Component, Number, Status
from relaxor.core.storage import save_budget, save_parameters, save_table, save_tree
from relaxor.project.settings import load_settings
from relaxor.reporting.explorer.page import build_explorer
from relaxor.reporting.explorer.view import server

from tests.browser import CHROMIUM, Browser

SAMPLE = "analysed"  # the folder of the fixture of this name stands for a sample
RAMAN = ("m", SAMPLE, "raman", "raman_532nm")
SHIFT = "voigt.raman_shift.Eg1"
HOSTILE = '<img src=x onerror=hurt()><script>hurt()</script>"onmouseover="hurt()" \'</script>'
PLOTTED = "document.querySelector('.plot .main-svg')"
DESKTOP, PHONE = (1280, 900), (390, 844)


def address(explorer: Path, *path: str, **options: str) -> str:
    query = "&".join(f"{key}={quote(value, safe='')}" for key, value in options.items())
    return f"{(explorer / 'index.html').as_uri()}#/{'/'.join(quote(part, safe='') for part in path)}?{query}"


def parameters_of(folder: Path, technique: str) -> pd.DataFrame:
    return pd.read_csv(folder / technique / "parameters.csv", dtype=str, keep_default_na=False)


@pytest.fixture(scope="module")
def results(analysed) -> Path:
    """Results of two techniques of the sample data."""
    analysed("afm")
    return analysed("raman").folder.parent


def inputs_of(results: Path, techniques: tuple[str, ...], folder: Path) -> dict:
    """The keywords of a build, with a claim about the shift of a line, and a check of it."""
    names = ("measurement", "model", "parameter", "feature", "at", "at_unit")
    claimed = parameters_of(results, "raman").query("parameter == 'raman_shift' and model == 'voigt'").head(1)
    about = claimed[list(names)].to_dict("records")[0]
    claim = {"claim": "one", "panel": "x", "quantity": HOSTILE, "verdict": "returned", "origin": "simulated"} | about
    save_table(folder / "claims.csv", pd.DataFrame([claim]))
    check = {"check": "shifts are positive", "verdict": "holds", "status": "ok"} | {n: about[n] for n in names[:3]}
    save_table(folder / "checks.csv", pd.DataFrame([check]))
    save_table(folder / "validation.csv", pd.DataFrame([{"quantity": "line 1001", "verdict": "within"}]))
    settings = load_settings(Path(__file__).parents[1] / "config/config.yaml")
    paths = {name: [str(results / t / f"{name}.csv") for t in techniques] for name in ("parameters", "budget")}
    return paths | {
        "data": [str(results / f"{t}.nc") for t in techniques],
        "curves": [str(results / t / "curves.nc") for t in techniques],
        "claims": str(folder / "claims.csv"),
        "checks": str(folder / "checks.csv"),
        "validation": {str(folder / "validation.csv"): "hash"},
        "sample": SAMPLE,
        "notes": {f"{SAMPLE}/raman_532nm": HOSTILE},
        "layers": {f"{SAMPLE}/{t}": settings.layers(t, "cbps") for t in techniques},
        "steps": {f"{SAMPLE}/{t}": [["ingest_files", "c0de"], ["analyse_technique", "c0ffee"]] for t in techniques},
    }


@pytest.fixture(scope="module")
def explorer(results, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("explorer")
    build_explorer(**inputs_of(results, ("raman", "afm"), folder), explorer=str(folder / "made"))
    return folder / "made"


@pytest.fixture(scope="module")
def chromium(tmp_path_factory) -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("no chromium here")
    with Browser(tmp_path_factory.mktemp("profile")) as browser:
        yield browser


@pytest.fixture
def browser(chromium) -> Iterator[Browser]:
    """A browser at desktop size whose console stays silent, and that asks for nothing but files beside the page."""
    chromium.size(*DESKTOP)
    chromium.open("about:blank", until="true")
    chromium.said.clear()
    chromium.asked.clear()
    yield chromium
    assert chromium.said == []
    local = ("file:", "data:", "blob:", "about:", "http://127.0.0.1:")
    assert [each for each in chromium.asked if not each.startswith(local)] == []


def plot(browser: Browser, expression: str, selector: str = ".plot") -> object:
    """Something of a figure: its traces are ``data``, its axes are in ``layout``."""
    return browser.value(f"(({{data, layout}}) => {expression})(document.querySelector('{selector}'))")


# --- reading ---------------------------------------------------------------------------------------------------------
def test_three_clicks_lead_to_every_number(browser, explorer, results):
    browser.open(address(explorer))
    assert "Simulated data" in browser.text("#banner")
    browser.click("#list [role=option]:nth-child(4)")  # after three images of AFM
    browser.wait("document.querySelector('main h1').innerText == 'raman_532nm'")
    numbers = parameters_of(results, "raman")
    listed = browser.value("[...document.querySelectorAll('[data-number]')].map(each => each.dataset.number)")
    assert len(listed) == len(set(listed)) == len(numbers)
    browser.click(f"[data-number='{SHIFT}']")
    browser.wait("document.querySelector('#number')")
    (row,) = numbers.query("parameter == 'raman_shift' and model == 'voigt' and feature == 'Eg1'").to_dict("records")
    shown = browser.text("#number")
    for told in (row["value"], "cm⁻¹", row["method"], row["raw_sha256"], "raw_data/cbps/raman", "95 % interval"):
        assert told in shown
    budget = pd.read_csv(results / "raman/budget.csv", keep_default_na=False)
    components = budget.query("parameter == 'raman_shift' and model == 'voigt' and feature == 'Eg1'")["component"]
    assert len(components) > 1
    assert all(component in shown for component in components)


def test_an_address_points_to_one_number_and_says_its_way_back(browser, explorer, results):
    browser.open(address(explorer, *RAMAN, number=SHIFT), until="document.querySelector('#number')")
    assert browser.value("document.activeElement.dataset.number") == SHIFT
    page = browser.text("#main")
    raw = Path(__file__).parents[1] / "raw_data/cbps/raman/CBPS_flake_532nm.txt"
    for told in (hashlib.sha256(raw.read_bytes()).hexdigest(), "analyse_technique", "c0ffee", "power", "0.5 mW"):
        assert told in page
    own = "[...document.querySelectorAll('caption')].find(each => each.innerText.includes('differ')).parentElement"
    settings = browser.value(f"[...{own}.querySelectorAll('tbody tr')].map(r => [...r.cells].map(c => c.innerText))")
    layers = {name: layer for name, _, _, layer in settings}
    assert layers["calibration_line"] == "instrument witec"
    assert layers["modes"] == "sample"


def test_the_table_is_copied_as_it_is_in_the_results(browser, explorer, results):
    browser.open(address(explorer, *RAMAN), until="document.querySelector('[data-number]')")
    browser.value("navigator.clipboard.writeText = async (text) => { window.copied = text; }, 1")
    browser.value("[...document.querySelectorAll('button')].find(each => each.innerText == 'Copy as CSV').click()")
    browser.wait("window.copied")
    assert browser.value("copied") == (results / "raman/parameters.csv").read_text(encoding="utf-8")


def test_claims_checks_and_validation_are_pages_that_lead_to_numbers(browser, explorer):
    for page, told in (("checks", "shifts are positive"), ("validation", "line 1001"), ("claims", "returned")):
        browser.open(address(explorer, page), until=f"document.querySelector('#main h1').innerText == '{page.title()}'")
        assert told in browser.text("#main table")
    browser.click("#main td a")
    browser.wait("document.querySelector('#number')")
    assert "number=voigt.raman_shift" in browser.value("location.hash")


# --- figures ---------------------------------------------------------------------------------------------------------
def test_data_fit_components_and_residuals_are_drawn_with_units(browser, explorer, results):
    browser.open(address(explorer, *RAMAN), until=PLOTTED)
    traces = plot(browser, "data.map(each => [each.name, each.yaxis])")
    assert [each for each in traces if each[0] in ("data", "fit", "baseline", "Eg1")] == [
        *(["data", "y"], ["fit", "y"], ["baseline", "y"], ["Eg1", "y"])
    ]
    assert ["residual", "y2"] in traces
    assert "(cm⁻¹)" in plot(browser, "layout.xaxis.title.text")
    assert "(count)" in plot(browser, "layout.yaxis.title.text")
    stored = trees(results / "raman/curves.nc")["raman_532nm"]["spectrum"].to_dataset()
    drawn = plot(browser, "Array.from(data.find(each => each.name == 'fit').y)")
    np.testing.assert_allclose(drawn, stored["fit"], rtol=1e-6)


def test_axes_are_logarithmic_and_exchanged_by_the_address(browser, explorer):
    browser.open(address(explorer, *RAMAN, xlog="1", ylog="1", x="calibrated_shift"), until=PLOTTED)
    assert plot(browser, "[layout.xaxis.type, layout.yaxis.type]") == ["log", "log"]
    assert "calibrated" in plot(browser, "layout.xaxis.title.text")


def test_a_figure_is_saved_as_png_and_svg_and_its_curves_as_csv(browser, explorer, tmp_path):
    browser.call("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(tmp_path))
    browser.open(address(explorer, *RAMAN), until=PLOTTED)
    for kind, start in (("PNG", b"\x89PNG"), ("SVG", b"<svg")):
        browser.value(f"[...document.querySelectorAll('button')].find(e => e.innerText == 'Save {kind}').click()")
        file = tmp_path / f"{SAMPLE}_raman_532nm.{kind.lower()}"
        browser.wait("true")
        for _ in range(200):
            if file.exists():
                break
            browser.value("new Promise(done => setTimeout(done, 50))")
        assert file.read_bytes().startswith(start)
    browser.value("navigator.clipboard.writeText = async (text) => { window.copied = text; }, 1")
    browser.value("[...document.querySelectorAll('button')].find(e => e.innerText == 'Copy curves as CSV').click()")
    browser.wait("window.copied")
    assert browser.value("copied.split('\\n')[0]").startswith("curve,Raman shift (cm⁻¹),")


def test_measurements_are_laid_over_each_other(browser, explorer):
    packed = re.search(r"'index','(.*)'", (explorer / "data/index.js").read_text())[1]
    index = json.loads(zlib.decompress(base64.b64decode(packed)))
    (other,) = (each["key"] for each in index["entries"] if each["name"] == "afm_flake_5nm")
    shown = {"panel": "analysis/profile:distance", "with": other}
    browser.open(address(explorer, "m", SAMPLE, "afm", "afm_flake_8nm", **shown), until=PLOTTED)
    names = plot(browser, "data.map(each => each.name)")
    assert "data" in names
    assert "afm_flake_5nm: data" in names


def test_an_overlay_is_of_the_same_unit_or_is_left_out_with_a_word(browser, tmp_path):
    shift = {"raman_shift": ("raman_shift", np.arange(9.0), {"units": "1/cm"})}
    counts = {"data": ("raman_shift", np.arange(9.0), {"units": "count"})}
    heat = {"heat": ("raman_shift", np.arange(9.0), {"units": "K"})}
    parts = {"a": counts | heat, "b": heat | counts, "c": heat}  # groups of units have other numbers in each
    content = {
        name: (provenance() | {"header": "{}", "instrument": ""}, xr.Dataset(each, shift))
        for name, each in parts.items()
    }
    built = write_results(tmp_path, content, [Number("a", "voigt", "raman_shift", 1.0, 0.1)])
    packed = re.search(r"'index','(.*)'", (built / "data/index.js").read_text())[1]
    keys = {each["name"]: each["key"] for each in json.loads(zlib.decompress(base64.b64decode(packed)))["entries"]}
    shown = {"panel": "analysis/spectrum:raman_shift", "with": f"{keys['b']},{keys['c']}"}
    browser.open(address(built, "m", "lab", "raman", "a", **shown), until=PLOTTED)
    assert plot(browser, "data.map(each => each.name)") == ["data", "b: data"]
    assert browser.text("#said") == "c has nothing to draw on these axes"


def test_a_click_on_a_map_shows_its_spectrum(browser, many, tmp_path):
    browser.open(address(many[0], "m", "lab", "raman", "map"), until=PLOTTED)
    area = ".plot .nsewdrag"
    browser.click(area)
    browser.wait("location.hash.includes('pixel=')")
    browser.wait("document.querySelector('.plot.low .main-svg')")
    row, column = map(int, browser.value("new URLSearchParams(location.hash.split('?')[1]).get('pixel')").split(","))
    np.testing.assert_allclose(
        plot(browser, "Array.from(data[0].y)", ".plot.low"), many[1][row, column], atol=np.ptp(many[1]) / 32_000
    )
    assert "Spectrum at" in plot(browser, "layout.title.text", ".plot.low")


def test_an_image_has_the_sides_and_the_units_of_its_file(browser, explorer):
    browser.open(address(explorer, "m", SAMPLE, "afm", "afm_flake_8nm", pixel="10,20"), until=PLOTTED)
    assert plot(browser, "[data[0].type, layout.yaxis.scaleanchor]") == ["heatmap", "x"]
    assert plot(browser, "layout.xaxis.title.text") == "x (nm)"
    assert "(nm)" in plot(browser, "data[0].colorbar.title.text")
    assert browser.value("document.querySelectorAll('.plot.low .main-svg').length") > 0


# --- everybody -------------------------------------------------------------------------------------------------------
def test_the_keyboard_finds_and_opens(browser, explorer):
    browser.open(address(explorer))
    browser.value("document.querySelector('#search').focus()")
    browser.write("raman_shift")  # a parameter
    browser.wait("document.querySelector('.count').innerText.startsWith('1 of')")
    browser.key("ArrowDown")
    assert browser.value("document.activeElement.getAttribute('role')") == "listbox"
    browser.key("Enter")
    browser.wait("document.querySelector('main h1').innerText == 'raman_532nm'")
    assert browser.value("document.querySelector('[aria-selected=true]').innerText").startswith("raman_532nm")


def test_every_control_has_a_name_and_every_status_is_a_readable_word(browser, explorer):
    browser.open(address(explorer, *RAMAN, number=SHIFT), until=f"{PLOTTED} && document.querySelector('#number')")
    for landmark in ("header", "nav", "main", "aside"):
        assert browser.value(f"document.querySelectorAll('{landmark}').length") == 1
    named = "(each.labels.length && each.labels[0].innerText.trim()) || each.getAttribute('aria-label')"
    assert browser.value(f"[...document.querySelectorAll('input, select')].filter(each => !({named})).length") == 0
    states = browser.value(
        "[...new Set([...document.querySelectorAll('.status, .hint, .count, #banner, .about')].map(each => {"
        "const own = getComputedStyle(each); let back = each;"
        "while (getComputedStyle(back).backgroundColor == 'rgba(0, 0, 0, 0)') back = back.parentElement || "
        "document.body; return JSON.stringify([each.innerText.trim() != '', own.color, "
        "getComputedStyle(back).backgroundColor]) }))].map(JSON.parse)"
    )
    assert len(states) > 3
    for said, *colours in states:
        assert said
        assert contrast(*colours) >= 4.5, colours


def contrast(*colours: str) -> float:
    """The ratio of luminances of WCAG 2."""

    def luminance(colour: str) -> float:
        parts = np.array([int(part) for part in re.findall(r"\d+", colour)[:3]]) / 255
        return float(
            np.where(parts <= 0.03928, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4) @ [0.2126, 0.7152, 0.0722]
        )

    dark, light = sorted(map(luminance, colours))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("path", [(), RAMAN, ("claims",)], ids=["start", "measurement", "claims"])
def test_a_phone_shows_one_thing_at_a_time_without_scrolling_sideways(browser, explorer, path):
    browser.size(*PHONE, mobile=True)
    browser.open(address(explorer, *path), until=PLOTTED if path == RAMAN else "document.querySelector('#main h1')")
    assert browser.value("document.documentElement.scrollWidth") <= PHONE[0]
    assert browser.value("getComputedStyle(document.querySelector('#side')).display != 'none'") == (not path)


# --- strangers' texts ------------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def hostile(tmp_path_factory) -> Path:
    """Results of which every text was written by an enemy."""
    folder = tmp_path_factory.mktemp("hostile")
    spectrum = xr.Dataset(
        {"data": ("raman_shift", np.arange(9.0), {"long_name": HOSTILE, "units": HOSTILE}), "__proto__": 1.0},
        {"raman_shift": ("raman_shift", np.arange(9.0), {"long_name": f"%{{x}} {HOSTILE}", "units": "1/cm"})},
        {HOSTILE: HOSTILE},
    )
    number = Number(
        "evil", "<b>model</b>", "raman_shift", 1.0, 0.1, method=HOSTILE, feature=HOSTILE, raw_sha256="a" * 64,
        origin="simulated", budget=(Component(HOSTILE, 0.2, HOSTILE),),
    )  # fmt: skip
    attrs = provenance(HOSTILE) | {"header": json.dumps({"__proto__": HOSTILE}), "instrument": HOSTILE}
    built = write_results(folder, {"evil": (attrs, spectrum)}, [number], {"lab/evil": HOSTILE})
    return built


def provenance(file: str = "raw.txt") -> dict:
    return {"raw_file": file, "raw_sha256": "a" * 64, "origin": "simulated", "conditions": "{}"}


def write_results(folder: Path, content: dict, numbers: list[Number], notes: dict | None = None) -> Path:
    """Write results of a sample by hand: measurement → attributes and dataset; and build their explorer."""
    (folder / "lab/raman").mkdir(parents=True)
    groups = {name: xr.Dataset(attrs=attrs) for name, (attrs, _) in content.items()}
    parts = {f"{name}/part": dataset for name, (_, dataset) in content.items()}
    save_tree(folder / "lab/raman.nc", groups | parts)
    own = {name: xr.Dataset(attrs=provenance()) for name in content}
    save_tree(folder / "lab/raman/curves.nc", own | {f"{name}/spectrum": each for (name, (_, each)) in content.items()})
    save_parameters(folder / "lab/raman/parameters.csv", numbers, "raman")
    save_budget(folder / "lab/raman/budget.csv", numbers)
    for name in ("claims", "checks"):
        (folder / f"{name}.csv").write_text("quantity,verdict\n")
    paths = {name: [str(folder / f"lab/raman/{name}.csv")] for name in ("parameters", "budget")}
    build_explorer(
        data=[str(folder / "lab/raman.nc")], curves=[str(folder / "lab/raman/curves.nc")], **paths,
        claims=str(folder / "claims.csv"), checks=str(folder / "checks.csv"), explorer=str(folder / "explorer"),
        sample="lab", notes=notes or {}, layers={}, steps={}, validation={},
    )  # fmt: skip
    return folder / "explorer"


def test_texts_of_files_are_shown_and_never_run(browser, hostile, explorer):
    browser.call("Page.addScriptToEvaluateOnNewDocument", source="window.hurt = () => { window.harmed = true; };")
    link = f"<b>model</b>.raman_shift.{HOSTILE}"
    browser.open(address(hostile, "m", "lab", "raman", "evil", number=link), until=f"{PLOTTED} && byId('number')")
    page = browser.value("document.querySelector('#main').textContent")
    assert page.count(HOSTILE) >= 8
    browser.value("document.querySelectorAll('details').forEach(each => { each.open = true; })")
    drawn = browser.value("document.querySelector('.plot').textContent")
    assert "<img src=x" in drawn
    for tag in ("img", "script:not([src])", "[onmouseover]", "main b", "svg a"):
        assert browser.value(f'document.querySelectorAll("{tag}").length') == 0, tag
    for spot in ("td", ".plot .nsewdrag", "h1", ".plot .ytitle"):
        browser.click(spot)
    browser.open(address(explorer, *RAMAN), until=PLOTTED)
    assert HOSTILE in browser.text("#sources ~ dl")
    browser.open(address(explorer, "claims"), until="document.querySelector('td')")
    assert browser.value("window.harmed === undefined")


def test_the_page_may_load_nothing_from_a_network(browser, explorer):
    browser.open(address(explorer))
    browser.value("fetch('https://example.org/').catch(() => 0)")
    browser.value("new Promise(done => { const i = new Image(); i.onerror = done; i.src = 'https://example.org/'; })")
    refused = [said for said in browser.said if "Content Security Policy" in said]
    assert len(refused) >= 2
    assert all("example.org" in said for said in browser.said)
    browser.said.clear()
    browser.asked.clear()


# --- many ------------------------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def many(tmp_path_factory) -> tuple[Path, np.ndarray]:
    """A thousand measurements, and a map of spectra."""
    rng = np.random.default_rng(1)
    shift = np.linspace(100, 600, 200)
    axis = {"raman_shift": ("raman_shift", shift, {"long_name": "Raman shift", "units": "1/cm"})}
    counts = {"long_name": "intensity", "units": "count"}

    def spectrum() -> xr.Dataset:
        return xr.Dataset({"data": ("raman_shift", rng.poisson(100.0, shift.size).astype(float), counts)}, axis)

    cube = rng.poisson(100.0, (6, 8, shift.size)).astype(float)
    places = {name: (name, np.arange(float(n)), {"units": "um"}) for name, n in (("y", 6), ("x", 8))}
    mapped = xr.Dataset({"intensity": (("y", "x", "raman_shift"), cube, counts)}, axis | places)
    names = [f"flake_{number:04}" for number in range(1000)]
    content = {name: (provenance(f"{name}.txt"), spectrum()) for name in names[99::100]}
    content["map"] = (provenance("map.txt"), mapped)
    numbers = [
        Number(name, "voigt", "raman_shift", 300.0, 0.1, feature="A1g", status=Status.MISFIT if i % 9 else Status.OK)
        for i, name in enumerate([*names, "map"])
    ]
    return write_results(tmp_path_factory.mktemp("many"), content, numbers), cube


def test_a_thousand_measurements_stay_light(browser, many):
    browser.open(address(many[0]))
    assert "1001 of 1001" in browser.text(".count")
    assert browser.value("document.querySelectorAll('*').length") < 200
    scripts = [Path(each).name for each in browser.asked if each.endswith(".js")]
    assert scripts == ["explorer.js", "index.js"]  # neither data nor the library that draws
    browser.value("document.querySelector('#list').focus()")
    browser.key("End")
    browser.key("Enter")
    browser.wait("document.querySelector('main h1').innerText == 'flake_0998'")
    browser.wait("document.querySelector('[data-number]')")
    assert sum("/data/" in each for each in browser.asked) == 2
    assert browser.value("document.querySelectorAll('#list [role=option]').length") < 40
    browser.value(
        "(s => { s.value = 'ok'; s.dispatchEvent(new Event('change')); })(document.querySelectorAll('#side select')[1])"
    )
    assert browser.text(".count").startswith("112 of")


@pytest.mark.costly
# --- bytes -----------------------------------------------------------------------------------------------------------
def test_the_same_results_give_the_same_bytes(explorer, results, tmp_path):
    build = (
        "import json, sys; from relaxor.reporting.explorer.page import build_explorer; "
        "build_explorer(**json.loads(sys.argv[1]), explorer=sys.argv[2])"
    )
    again = tmp_path / "again"
    content = json.dumps(inputs_of(results, ("raman", "afm"), tmp_path))
    environment = os.environ | {"PYTHONHASHSEED": "7"}
    subprocess.run([sys.executable, "-c", build, content, str(again)], check=True, env=environment)
    assert sizes(again) == sizes(explorer)


def sizes(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


# --- relaxor view ----------------------------------------------------------------------------------------------------
@pytest.fixture
def viewed(explorer, tmp_path) -> Iterator[str]:
    """The address of a running ``relaxor view``, which knows one run time."""
    (tmp_path / f"analyse_technique/{SAMPLE}").mkdir(parents=True)
    (tmp_path / f"analyse_technique/{SAMPLE}/raman.tsv").write_text("s\th:m:s\n12.3456\t0:00:12\n")
    with server(explorer, 0, tmp_path) as serving:
        threading.Thread(target=serving.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{serving.server_port}/"
        serving.shutdown()


def test_view_shows_run_times_and_loads_again_when_results_change(browser, viewed, explorer):
    browser.open(f"{viewed}#/{'/'.join(RAMAN)}", until=f"{PLOTTED}")
    assert "12.35 s" in browser.text("#main")
    browser.value("window.before = true")
    (explorer / "index.html").touch()
    browser.wait("window.before === undefined && document.querySelector('main h1')")


def test_view_answers_this_computer_alone(viewed):
    with urllib.request.urlopen(viewed) as answer:
        assert b"view.js" in answer.read()
    with pytest.raises(HTTPError, match="403"):
        urllib.request.urlopen(urllib.request.Request(viewed, headers={"Host": "evil.example"}))


def test_view_without_results_says_what_to_do(tmp_path):
    command = [sys.executable, "-c", "from relaxor.cli.main import main; main()", "view", "--results", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1
    assert "there is no explorer here; make it with" in done.stderr
    assert len(done.stderr.splitlines()) == 1
