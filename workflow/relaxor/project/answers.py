"""What the user says of proposed rows: options of the command line, and answers to questions."""

import re
from collections.abc import Callable, Iterable, Sequence

from relaxor.core.errors import SheetError, nearest
from relaxor.project.layers import known_conditions
from relaxor.project.proposals import Proposal, called
from relaxor.project.settings import Settings
from relaxor.project.sheet import unfit
from relaxor.techniques.registry import OTHER, current_name, techniques

CONDITION = re.compile(r"(?:(?P<pattern>.*):)?\s*(?P<name>\w+)\s*=\s*(?P<value>[^:=]+)")
"""Pattern of ``[PATTERN:]name=value unit``."""
Ask = Callable[[str, Sequence[str]], str]
"""Asks the user a question; the second argument lists the allowed answers, and is empty if any text is allowed."""


def give_techniques(proposals: Sequence[Proposal], answers: Iterable[str]) -> None:
    """Set techniques by ``PATTERN=TECHNIQUE``; a pattern is compared with the path below the folder."""
    for answer in answers:
        pattern, equals, technique = answer.rpartition("=")
        technique = current_name(technique, "--technique")
        if not equals or technique not in (*techniques(), OTHER):
            known = (*techniques(), OTHER)
            hint = (
                f"; did you mean '*={technique}', for all files?" if technique in known else nearest(technique, known)
            )
            raise SheetError(f"--technique '{answer}': 'PATTERN=TECHNIQUE' expected, found '{technique}'{hint}")
        for proposal in _matching(proposals, pattern, f"--technique '{answer}'"):
            proposal.candidates, proposal.note = [technique] if technique != OTHER else [], ""


def give_instrument(proposals: Sequence[Proposal], instrument: str, settings: Settings) -> None:
    """Set the instrument of all files; it must be one of the settings."""
    if instrument not in settings.instruments:
        raise SheetError(
            f"--instrument '{instrument}' is not in the settings{nearest(instrument, settings.instruments)}"
        )
    for proposal in proposals:
        proposal.instrument = instrument


def give_conditions(proposals: Sequence[Proposal], answers: Iterable[str]) -> None:
    """Set conditions by ``[PATTERN:]name=value unit``; without a pattern, for all files whose technique knows it.

    Where an analysis needs the condition, only the files of such analyses get it. Where no technique of the files
    knows it, files go to the technique that does, if it is among their candidates.
    """
    for answer in answers:
        if not proposals:
            raise SheetError(f"--condition '{answer}': no file is new; change the column 'conditions' of its row")
        found = CONDITION.fullmatch(answer)
        if not found:
            raise SheetError(f"--condition '{answer}': '[PATTERN:]name=value unit' expected")
        name, value, option = found["name"], found["value"].strip(), f"--condition '{answer}'"
        knowing = [proposal for proposal in proposals if name in known_conditions(proposal.technique)]
        chosen = [proposal for proposal in knowing if name in proposal.missing] or knowing
        if found["pattern"]:
            chosen = _matching(proposals, found["pattern"], option)
        chosen = chosen or [proposal for proposal in proposals if _prefer(proposal, name)]
        if not chosen:
            known = ", ".join(technique for technique in techniques() if name in known_conditions(technique))
            instead = f" ({known} does: give --technique PATTERN=TECHNIQUE)" if known else ""
            raise SheetError(
                f"{option}: no technique of these files knows '{name}'{instead}; to record it anyway, give "
                f"'PATTERN:{name}={value}'"
            )
        for proposal in chosen:
            if problem := unfit(value, known_conditions(proposal.technique).get(name)):
                raise SheetError(f"{option}: '{value}' {problem}")
            proposal.conditions[name] = value


def _prefer(proposal: Proposal, condition: str) -> bool:
    """Prefer the candidate of a file that knows a condition, and return whether there is one."""
    knowing = [technique for technique in proposal.candidates if condition in known_conditions(technique)]
    if knowing:
        proposal.candidates = [*knowing, *(each for each in proposal.candidates if each not in knowing)]
        proposal.note = f"{knowing[0]}, as only it knows the condition '{condition}'"
    return bool(knowing)


def _matching(proposals: Sequence[Proposal], pattern: str, option: str) -> list[Proposal]:
    names = called([proposal.name for proposal in proposals], pattern, option)
    return [proposal for proposal in proposals if proposal.name in names]


def ask_techniques(proposals: Sequence[Proposal], ask: Ask) -> None:
    """Ask for the technique of files that do not state it."""
    for proposal in proposals:
        if not proposal.candidates:
            choice = ask(f"technique of {proposal.name} (drawn as it is: {OTHER})", (*techniques(), OTHER))
            proposal.candidates, proposal.note = ([choice], "") if choice != OTHER else ([], proposal.note)


def ask_conditions(proposals: Sequence[Proposal], ask: Ask) -> None:
    """Ask for each missing condition that the analyses need; an empty answer leaves it out."""
    wanted = dict.fromkeys((each.technique, name, unit) for each in proposals for name, unit in each.missing.items())
    for technique, name, unit in wanted:
        files = [each for each in proposals if each.technique == technique and name in each.missing]
        which = files[0].name if len(files) == 1 else f"{len(files)} files of {technique}"
        how = "" if len(files) == 1 else f"; {len(files)} values joined by ',' where they differ"
        question = f"{name} of {which}, in {unit} or alike{how} (nothing: fill it in later)"
        while answer := ask(question, ()).strip():
            values = [value.strip() for value in answer.split(",")] if len(files) > 1 else [answer]
            values = values * len(files) if len(values) == 1 else values
            problem = next((f"'{value}' {said}" for value in values if (said := unfit(value, unit))), "")
            if not problem and len(values) == len(files):
                for proposal, value in zip(files, values, strict=True):
                    proposal.conditions[name] = value
                break
            question = problem or f"{len(values)} values for {len(files)} files; {name}, in {unit} or alike"
