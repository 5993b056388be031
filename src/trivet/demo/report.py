"""The demo's report: one HTML file with its claims and plots, readable without anything else."""

import re
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from jinja2 import Environment, StrictUndefined

from trivet.demo.claims import Claim

_LONG_ID = re.compile(r"\b[0-9a-f]{24,64}\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plot:
    """A plot under its finding; `svg` is our own markup, `rows` the data behind it."""

    finding: str
    svg: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What the report says."""

    title: str
    summary: str
    facts: tuple[tuple[str, str], ...]
    claims: tuple[Claim, ...]
    seconds: tuple[tuple[str, str], ...]
    plots: tuple[Plot, ...]
    answers: tuple[tuple[str, str, str], ...]


def shorten_ids(sentence: str) -> str:
    """Return the sentence with long ids and digests cut in their middle, as on the pages."""
    return _LONG_ID.sub(lambda found: f"{found[0][:4]}…{found[0][-4:]}", sentence)


def write_report(report: Report, to: Path) -> None:
    """Write the report as a file that appears whole."""
    environment = Environment(undefined=StrictUndefined, autoescape=True)
    environment.filters["shortened"] = shorten_ids
    template = environment.from_string(
        files("trivet.demo").joinpath("report.html.j2").read_text(encoding="utf-8")
    )
    part = to.with_suffix(".part")
    part.write_text(template.render(report=report), encoding="utf-8")
    part.replace(to)
