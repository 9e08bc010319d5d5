"""Every format: what was put into a file of it is what the reader returns."""

import json
import re

import numpy as np
import pytest
from relaxor.core.errors import ReadError
from relaxor.core.units import parse_unit
from relaxor.readers import read, readers

from tests.readers.samples import CONTENTS, SAMPLES, VARIANTS, Sample

OURS = {name for name, reader in readers().items() if reader.extract.__module__.startswith("relaxor.")}


def write(folder, name, content):
    path = folder / re.sub(r"\W", "_", name)
    path.write_bytes(content)
    return path


def test_every_reader_has_a_sample_with_known_values():
    assert {name.partition(" ")[0] for name in SAMPLES} == OURS
    for name, sample in SAMPLES.items():
        assert sample.values and all(unit for _, unit in sample.values.values()), name


@pytest.mark.parametrize("name", SAMPLES)
def test_what_was_put_in_is_read(tmp_path, name):
    sample: Sample = SAMPLES[name]
    tree = read(write(tmp_path, name, sample.content))
    assert tree.attrs["format"] == name.partition(" ")[0]
    data = tree[sample.child].to_dataset()
    for variable, (values, unit) in sample.values.items():
        found = data[variable]
        np.testing.assert_allclose(found, values, rtol=2e-6, atol=1e-12 * np.nanmax(np.abs(values)), err_msg=variable)
        assert found.shape == np.shape(values), variable
        assert found.attrs["units"] == unit, variable
    assert data[next(iter(sample.values))].dims == sample.dims
    assert tree.attrs.get("acquired", "") == sample.acquired
    found = {key: data.attrs.get(key) for key in sample.attrs}
    for key, value in sample.attrs.items():
        assert found[key] == (pytest.approx(value, rel=1e-6) if isinstance(value, float) else value), key
    assert sample.header in tree.attrs["header"]


@pytest.mark.parametrize("name", SAMPLES)
def test_every_tree_keeps_the_contract(tmp_path, name):
    """Each number has a unit that pint reads and a name, uncertainties belong to values, and the header is JSON."""
    tree = read(write(tmp_path, name, CONTENTS[name]))
    json.loads(tree.attrs["header"])
    assert {"format", "raw_file", "raw_sha256", "reader", "instrument"} <= set(tree.attrs)
    for child in tree.children.values():
        for variable, data in child.to_dataset().variables.items():
            if data.dtype.kind in "fiu":
                assert data.attrs["long_name"] and parse_unit(data.attrs["units"]) is not None, variable
            if tied := data.attrs.get("ancillary_variables"):
                assert tied == f"{variable}_uncertainty" and (child[tied].values >= 0).all()


@pytest.mark.parametrize("name", [*SAMPLES, *VARIANTS])
def test_the_name_of_a_file_decides_nothing(tmp_path, name):
    content = {**CONTENTS, **VARIANTS}[name]
    outcomes = set()
    for file in ("file.raw", "file.txt", "file.xlsx", "file"):
        try:
            outcomes.add(read(write(tmp_path, file, content)).attrs["format"])
        except ReadError as error:
            outcomes.add(error.problem)
    assert len(outcomes) == 1


@pytest.mark.parametrize("name", SAMPLES)
def test_a_file_that_is_cut_is_refused_or_holds_less(tmp_path, name):
    content = CONTENTS[name]
    for share in (0.2, 0.5, 0.8, 0.97):
        path = write(tmp_path, f"cut {share}", content[: int(share * len(content))])
        try:
            tree = read(path)
        except ReadError as error:
            assert str(error).startswith(f"{path}: ") and len(str(error).splitlines()) == 1
        else:
            assert tree.children


@pytest.mark.parametrize("name", sorted(OURS))
def test_the_docstring_of_a_reader_says_what_it_reads_and_returns(name):
    import sys

    text = sys.modules[readers()[name].extract.__module__].__doc__
    for part in ("Instruments:", "Recognition:", "Schema:"):
        assert re.search(rf"^{part} [A-Z].*[.:]$", text, re.MULTILINE | re.DOTALL), part
