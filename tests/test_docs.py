"""The documents agree with the code: requirements, settings, measures, commands and links."""

import importlib
import re
from pathlib import Path

import pytest
from pydantic_core import PydanticUndefined
from typer.main import get_command

from analytics.distributions import MOST_RANGES
from analytics.measures import MEASURES, measures_of
from analytics.shapes import EXACT_DURATIONS, EXACT_PROJECTS
from gateway.cli.main import app as cli
from gateway.config.settings import Settings
from storage.facts import FACTS
from storage.facts.fact import Fact
from tests.proofs import (
    ROOT,
    collect,
    is_among,
    name_of,
    named_tests,
    proofs,
    requirement_rows,
    table_rows,
)
from tests.test_layout import PACKAGES

DOCS = ROOT / "docs"
STATES = {"met", "partly", "planned"}


def pages() -> list[Path]:
    found = [*ROOT.glob("*.md"), *DOCS.rglob("*.md"), *(ROOT / "tests").rglob("*.md")]
    return sorted(page for page in found if "node_modules" not in page.parts)


def test_every_requirement_appears_once_in_order() -> None:
    numbers = [row[0] for row in requirement_rows()]
    requirements = [f"R{number}" for number in range(1, 174)]
    rulings = [f"E{number}" for number in range(1, 22)]
    assert numbers == requirements + rulings


def test_every_requirement_has_a_known_state() -> None:
    wrong = [row[0] for row in requirement_rows() if row[-2] not in STATES]
    assert not wrong


def test_proof_is_named_exactly_when_something_is_done() -> None:
    wrong = [row[0] for row in requirement_rows() if (row[-2] == "planned") == bool(proofs(row))]
    assert not wrong


def test_met_requirements_name_single_tests() -> None:
    """A reader cannot check a whole file of tests."""
    met = [row for row in requirement_rows() if row[-2] == "met"]
    assert met
    assert [row[0] for row in met if any("::" not in test for test in named_tests(row))] == []


@pytest.fixture(scope="module")
def collected(request: pytest.FixtureRequest) -> set[str]:
    """The tests of this run and of the files in which it has not found all that are named."""
    tests = {name_of(item.nodeid) for item in request.session.items}
    named = [proof for row in requirement_rows() for proof in named_tests(row)]
    missing = [proof for proof in named if not is_among(proof, tests)]
    return tests | collect(proof.partition("::")[0] for proof in missing)


def test_every_test_named_as_a_proof_is_collected(collected: set[str]) -> None:
    missing = [
        f"{row[0]}: {proof}"
        for row in requirement_rows()
        for proof in named_tests(row)
        if not is_among(proof, collected)
    ]
    assert not missing


def test_every_verb_named_as_a_proof_exists() -> None:
    named = [
        proof
        for row in requirement_rows()
        for proof in proofs(row)
        if proof not in named_tests(row)
    ]
    assert named
    assert [proof for proof in named if proof.removeprefix("make ") not in VERBS["make"]] == []


def places_now() -> dict[str, list[str]]:
    """Each name in the requirements, with the files that do its work and exist."""
    rows = table_rows(DOCS / "modules.md", r"`.+")
    return {
        row[0]: re.findall(r"`([^`]+)`", places) if now == "yes" else []
        for *row, places, now in rows
    }


def test_module_places_marked_present_exist() -> None:
    places = places_now()
    assert places
    files = [file for names in places.values() for file in names]
    assert [file for file in files if not (ROOT / file).exists()] == []


def test_parts_named_by_the_sources_can_be_imported() -> None:
    """R12, R20: each file marked as existing is a module, package or page of this repository."""
    places = places_now()
    wanted = {"`deployment_tracker`", "`metrics_collector`", "`analytics` (API)"}
    assert wanted <= places.keys()
    files = [file for names in places.values() for file in names]
    for place in [file for file in files if not file.endswith(".tsx")]:
        name = place.removesuffix("/").removesuffix(".py").replace("/", ".")
        module = importlib.import_module(name)
        assert Path(module.__file__ or "").is_relative_to(ROOT / place), place


def test_architecture_names_every_package() -> None:
    text = (DOCS / "architecture.md").read_text(encoding="utf-8")
    assert [package for package in PACKAGES if f"| `{package}` |" not in text] == []


def missing_modules(page: Path) -> list[str]:
    """The modules that a page names by the end of their path, and that do not exist."""
    folders = [ROOT / name for name in (*PACKAGES, "tests")]
    paths = [path.as_posix() for folder in folders for path in folder.rglob("*.py")]
    named = re.findall(r"`((?:\w+/)*\w+\.py)`", page.read_text(encoding="utf-8"))
    return [name for name in named if not any(path.endswith(f"/{name}") for path in paths)]


def test_architecture_names_modules_that_exist() -> None:
    assert missing_modules(DOCS / "architecture.md") == []


def test_missing_modules_are_noticed(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("`gateway/app.py` `app.py` `gateway/cli/<command>.py` `gateway/gone.py`\n")
    assert missing_modules(page) == ["gateway/gone.py"]


COMMANDS = re.compile(r"^ *(gateway|make) ([a-z][a-z-]*)", re.MULTILINE)
VERBS = {
    "gateway": set(get_command(cli).commands),  # type: ignore[attr-defined]
    "make": set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)),
}


def code(page: Path) -> str:
    """The code of a page: in fences, indented, or within a line."""
    text = page.read_text(encoding="utf-8")
    pieces = re.findall(
        r"^```\w*\n(.*?)^```|^( {4}[^\n]+)|`([^`\n]+)`", text, re.DOTALL | re.MULTILINE
    )
    return "\n".join("".join(piece) for piece in pieces)


def unknown_commands(page: Path) -> list[str]:
    commands = COMMANDS.findall(code(page))
    return [f"{tool} {verb}" for tool, verb in commands if verb not in VERBS[tool]]


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_in_the_documents_exist(page: Path) -> None:
    assert unknown_commands(page) == []


def test_unknown_commands_are_noticed(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "make tea\n\n    make coffee\n\n`gateway fly` `make run`\n```sh\ngateway x\n```\n"
    )
    assert unknown_commands(page) == ["make coffee", "gateway fly", "gateway x"]


def setting_defaults() -> dict[str, str | None]:
    """Each variable with its default as the page writes it; None for a computed one."""
    defaults: dict[str, str | None] = {}
    for name, field in Settings.model_fields.items():
        variable = str(field.validation_alias or name.upper())
        computed = field.default is PydanticUndefined
        defaults[variable] = None if computed else written(field.default)
    return defaults


def written(default: object) -> str:
    """A default as it is written in the environment."""
    if default in ("", None):
        return "not set"
    return f"`{int(default) if isinstance(default, bool) else default}`"


def test_every_setting_is_described_with_its_default() -> None:
    described = {row[0].strip("`"): row[1:] for row in table_rows(DOCS / "settings.md", r"`\w+`")}
    defaults = setting_defaults()
    assert described.keys() == defaults.keys()
    stale = {
        name: default
        for name, default in defaults.items()
        if default is not None and described[name][0] != default
    }
    assert not stale
    assert all(len(meaning.split()) > 1 for _, meaning in described.values())


def measure_section(fact: Fact) -> str:
    """The section that docs/measures.md must have for a fact, from the catalogue."""
    lines = [f"## {fact.noun[0].upper()}{fact.noun[1:]}", ""]
    if fact.timing:
        shape = fact.timing.histogram
        low_ms, high_s = shape.base_us / 1e3, shape.lower_bound_us(shape.buckets) / 1e6
        lines += [f"Its histogram tells durations from {low_ms:g} ms to {high_s:,.0f} s apart.", ""]
    lines += ["| Measure | Field | Unit | Clock | Formula | Meaning |", "| --- " * 6 + "|"]
    for measure in measures_of(fact.name):
        words = (measure.unit, measure.clock, f"`{measure.formula}`", measure.description)
        field = "yes" if measure.headline else "no"
        lines.append(f"| `{measure.name}` | {field} | {' | '.join(words)} |")
    return "\n".join(lines) + "\n"


def test_measures_page_equals_the_catalogue() -> None:
    page = (DOCS / "measures.md").read_text(encoding="utf-8")
    expected = "\n".join(map(measure_section, FACTS.values()))
    assert page[page.index("\n## ") + 1 :] == expected, expected


def test_measures_page_says_when_percentiles_are_exact() -> None:
    page = (DOCS / "measures.md").read_text(encoding="utf-8")
    (rule,) = re.findall(r"^\*\*Percentiles\*\*.*?(?=^#)", page, re.MULTILINE | re.DOTALL)
    days = Settings.model_fields["event_retention_days"].default
    assert f"`EVENT_RETENTION_DAYS`, {days} by default" in rule
    assert f"At most {EXACT_DURATIONS:,} known durations" in rule
    assert f"at most {EXACT_PROJECTS} projects" in rule
    assert f"in at most {MOST_RANGES} ranges" in page
    assert {f"{m.error_bound:.2%}" for m in MEASURES.values() if m.error_bound} == {"9.05%"}


def prose(page: Path) -> str:
    """The page without its code, in which brackets are not links."""
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
    return re.sub(r"`[^`\n]*`", "", text)


def anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {
        re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings
    }


def broken_links(page: Path) -> list[str]:
    targets = re.findall(r"\]\(([^)\s]+)\)", prose(page))
    inside = [target for target in targets if not re.match(r"(https?|mailto):", target)]
    return [target for target in inside if not link_resolves(page, target)]


def link_resolves(page: Path, target: str) -> bool:
    path, _, anchor = target.partition("#")
    file = (page.parent / path) if path else page
    if not file.exists():
        return False
    return not anchor or file.suffix != ".md" or anchor in anchors(file)


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_links_in_the_documents_resolve(page: Path) -> None:
    assert not broken_links(page)


def test_broken_links_are_noticed(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "# One word\n[a](#one-word) [b](#two) [c](gone.md) `[d](code)` [e](https://x.test)\n"
    )
    assert broken_links(page) == ["#two", "gone.md"]
