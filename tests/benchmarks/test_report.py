"""The report: a part that is measured anew replaces its section, and no other."""

from pathlib import Path

from benchmarks.__main__ import asked_for
from benchmarks.parts import ONLY_ASKED, PARTS
from benchmarks.report import MARKER, write


def section(name: str, text: str) -> str:
    return f"<!-- part: {name} -->\n## Title of {name}\n\n{text}\n"


def test_a_part_measured_anew_replaces_its_section_alone(tmp_path: Path) -> None:
    page = tmp_path / "RESULTS.md"
    page.write_text(f"# Head\n\n{MARKER}\n\n## Notes\n\nBy hand.\n")
    write({name: section(name, "first") for name in ("errors", "questions")}, page)
    write({"errors": section("errors", "second"), "host": section("host", "new")}, page)
    text = page.read_text()
    assert text.endswith(f"{MARKER}\n\n## Notes\n\nBy hand.\n")
    found = [line for line in text.splitlines() if line in ("first", "second", "new")]
    assert found == ["first", "second", "new"]  # in the order of the parts
    write({}, page)
    assert page.read_text() == text


def test_without_parts_all_are_measured_but_the_one_that_npm_installs() -> None:
    assert set(asked_for([]).parts) == PARTS.keys() - {ONLY_ASKED}
    asked = asked_for(["PARTS=peers,errors", "N=20000"])
    assert asked.parts == ("peers", "errors")
    assert asked.deployments == asked.invocations == 20_000
