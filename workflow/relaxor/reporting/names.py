"""Whether the names in the figures, claims, checks and settings of a project exist."""

from collections.abc import Callable
from contextlib import suppress
from functools import partial

from relaxor.core.errors import RelaxorError, SheetError
from relaxor.project.figure_list import load_figures
from relaxor.project.lists import load_checks, load_claims
from relaxor.project.pipeline import beside
from relaxor.project.settings import Settings
from relaxor.reporting.panels import panel_of
from relaxor.reporting.selectors import require_listed


def misnamed(settings: Settings) -> list[str]:
    """Return one line for each panel, claim, check and selector that names what does not exist.

    Lists that cannot be loaded are left out: `relaxor.project.preflight.check_lists` says so.
    """
    asked = [("settings: comparison", number) for number in settings.comparison]
    asked += [(f"settings: devices: '{name}'", number) for name, number in settings.devices.numbers.items()]
    with suppress(RelaxorError):
        claims = load_claims(beside(settings.claims))
        asked += [(f"{settings.claims}: claim '{claim.id}'", claim.ours) for claim in claims if claim.ours]
    with suppress(RelaxorError):
        asked += [
            (f"{settings.checks}: check '{law.what}'", law.numbers) for law in load_checks(beside(settings.checks))
        ]
    checks: list[Callable[[], object]] = [partial(require_listed, selector, where) for where, selector in asked]
    with suppress(RelaxorError):
        figures = load_figures(beside(settings.figures)).values()
        checks += [partial(panel_of, panel) for figure in figures for panel in figure.panels.values()]
    problems = []
    for check in checks:
        try:
            check()
        except SheetError as error:
            problems.append(str(error))
    return problems
