"""Which technique a file belongs to, told from what is in it."""

import xarray as xr

from relaxor.techniques.contents import Contents
from relaxor.techniques.registry import techniques


def likely_techniques(tree: xr.DataTree) -> tuple[str, ...]:
    """Name the techniques that a file may belong to, the likeliest first; none where nothing in it tells."""
    contents = Contents.of(tree)
    likely = {name: technique.recognise(contents) for name, technique in techniques().items()}
    return tuple(sorted((name for name in likely if likely[name] > 0), key=lambda name: -likely[name]))
