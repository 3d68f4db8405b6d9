"""RESULTS.md: the tables of each part, each figure beside its goal, and how they were taken."""

import platform
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.parts import PARTS, Bench

MARKER = "<!-- What stands below this line is written by hand and kept. -->"
_PART = "<!-- part: {} -->"


def section(name: str, tables: list[str], bench: Bench, seconds: float) -> str:
    """The text of a part: its tables, and under the first title how they were taken."""
    title, *rest = tables
    size = f"N={bench.deployments}"
    if name == "functions":
        size = f"INVOCATIONS={bench.invocations}"
    taken = (
        f"`make bench PARTS={name} {size}` on {datetime.now(UTC):%Y-%m-%d}, {seconds / 60:.0f} "
        f"minutes, Python {platform.python_version()}."
    )
    return "\n".join([_PART.format(name), title, "", taken, *rest])


def write(sections: Mapping[str, str], path: Path) -> None:
    """Writes the sections anew; those of other parts and the text below the marker stay."""
    tables, _, notes = path.read_text(encoding="utf-8").partition(MARKER)
    kept = dict(_sections(tables)) | dict(sections)
    text = "\n".join([_head(), *(kept[name].strip() + "\n" for name in PARTS if name in kept)])
    path.write_text(f"{text}\n{MARKER}{notes}", encoding="utf-8")


def _sections(text: str) -> Iterator[tuple[str, str]]:
    """The parts of an earlier report, by name."""
    _, *found = re.split(r"^(?=<!-- part: )", text, flags=re.MULTILINE)
    for each in found:
        if match := re.match(_PART.format(r"(\w+)"), each):
            yield match[1], each


def _head() -> str:
    return """# Benchmark results

Each part says which command measured it, and when. Embedded PostgreSQL and Redis, gateway, servers and load share two cores. Absolute times vary with the machine; the ratios of a part were taken in one run, each side in turn with its floor. CPU is the processor time of the processes named, and of no other.

The data is spread like that of a platform: 1,000 projects, the second with half of the deployments of the first, the third with a third; the ten largest deploy 40 templates of 8 frameworks to 6 networks in 3 environments, 240 series each. Ranges of one to six weeks begin and end at any minute, one in four still runs, and larger projects are asked for more often.
"""  # noqa: E501 - a paragraph of Markdown is a line
