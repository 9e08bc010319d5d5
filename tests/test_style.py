"""Figures as files: the same bytes from the same content."""

import re

import pytest
from relaxor.figures.style import new_figure, save, use_style


def test_the_last_bits_of_a_layout_change_nothing(tmp_path):
    use_style()
    written = []
    for shift in (0.0, 3e-14):
        figure = new_figure(60, 40)
        figure.set_layout_engine(None)
        figure.add_axes((0.2 + shift, 0.2, 0.7, 0.7)).plot([0, 1], [0, 1])
        files = [tmp_path / f"shifted_by_{shift}.{suffix}" for suffix in ("pdf", "svg", "png")]
        save(figure, files, "one", "")
        written.append([path.read_bytes() for path in files])
    assert written[0] == written[1]


@pytest.mark.parametrize(("pdf_fonts", "kind"), [(3, "/Type3"), (42, "/Type0")])
def test_pdf_files_have_the_fonts_that_a_publisher_asks_for(tmp_path, pdf_fonts, kind):
    use_style(pdf_fonts)
    figure = new_figure(60, 40)
    figure.subplots().set_xlabel("Field (kV)")
    save(figure, [tmp_path / "a.pdf"], "one", "")
    fonts = re.findall(r"/Subtype (/Type[03])", (tmp_path / "a.pdf").read_bytes().decode("latin-1"))
    assert set(fonts) == {kind}
