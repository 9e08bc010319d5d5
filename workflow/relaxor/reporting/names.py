"""Whether the names in the figures, claims, checks and settings of a project exist."""

from collections.abc import Callable
from contextlib import suppress
from functools import partial

from relaxor.core.errors import RelaxorError, SheetError
from relaxor.project.figure_list import load_figures
from relaxor.project.lists import load_checks, load_claims
from relaxor.project.settings import Settings
from relaxor.reporting.panels import panel_of
from relaxor.reporting.selectors import require_listed


def misnamed(settings: Settings) -> list[str]:
    """Return one line for each panel, claim, check and selector that names what does not exist.

    Lists that cannot be loaded are left out: `relaxor.project.preflight.check_lists` says so.
    """
    checks: list[Callable[[], object]] = []
    with suppress(RelaxorError):
        panels = (panel for figure in load_figures(settings.figures).values() for panel in figure.panels.values())
        checks += [partial(panel_of, panel) for panel in panels]
    with suppress(RelaxorError):
        for claim in load_claims(settings.claims):
            if claim.ours is not None:
                checks.append(partial(require_listed, claim.ours, f"{settings.claims}: claim '{claim.id}'"))
    with suppress(RelaxorError):
        laws = load_checks(settings.checks)
        checks += [partial(require_listed, law.numbers, f"{settings.checks}: check '{law.what}'") for law in laws]
    checks += [partial(require_listed, number, "settings: comparison") for number in settings.comparison]
    ours = settings.devices.numbers.items()
    checks += [partial(require_listed, number, f"settings: devices: '{name}'") for name, number in ours]
    problems = []
    for check in checks:
        try:
            check()
        except SheetError as error:
            problems.append(str(error))
    return problems
