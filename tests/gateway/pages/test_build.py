"""The GraphiQL page is rebuilt when its sources change, and never seen half done."""

import gzip
import json
import random
import re
import shutil
from pathlib import Path

import pytest
from graphql import parse

from gateway.pages import build as bundle

SCRIPT = "export {};" * 200
NOISE = random.Random(1).randbytes(2000)
HERE_NPM_BUILDS = "<title>built</title>"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The real sources in a place of their own, without a page and without packages."""
    folder = tmp_path / "graphiql"
    shutil.copytree(bundle.FOLDER, folder, ignore=shutil.ignore_patterns("dist", "node_modules"))
    return folder


class Npm:
    """Stands where npm does, for the order of things; the real one builds in a test below."""

    def __init__(self, failing: str | None = None) -> None:
        self.calls: list[str] = []
        self.failing = failing

    def __call__(self, arguments: list[str], _folder: Path) -> None:
        verb = arguments[0]
        self.calls.append(verb)
        if verb == "run":
            out = Path(arguments[-1])
            out.mkdir(parents=True)
            (out / "index.html").write_text(HERE_NPM_BUILDS)
            (out / "app.js").write_text(SCRIPT)
            (out / "font.woff2").write_bytes(NOISE)
        if verb == self.failing:
            raise bundle.BundleError(f"{verb} failed")


def build(folder: Path, npm: Npm) -> list[str]:
    progress: list[str] = []
    bundle.ensure(progress.append, folder, npm)
    return progress


def test_missing_page_is_built(folder: Path) -> None:
    assert bundle.assets(folder) is None

    progress = build(folder, npm := Npm())

    assert npm.calls == ["ci", "run"]
    assert progress[-1].startswith("GraphiQL: ready")
    assets = bundle.assets(folder)
    assert assets is not None
    assert assets.page.decode() == HERE_NPM_BUILDS


def test_files_that_get_smaller_have_a_compressed_copy(folder: Path) -> None:
    build(folder, Npm())

    assert {path.name for path in (folder / "dist").glob("*.gz")} == {"app.js.gz"}
    assert gzip.decompress((folder / "dist" / "app.js.gz").read_bytes()).decode() == SCRIPT


def test_current_page_is_kept(folder: Path) -> None:
    build(folder, Npm())

    progress = build(folder, npm := Npm())

    assert npm.calls == []
    assert progress == []


@pytest.mark.parametrize(
    "changed", ["index.html", "src/app.tsx", "src/examples/99-new.graphql", "vite.config.ts"]
)
def test_changed_source_rebuilds_with_packages_kept(folder: Path, changed: str) -> None:
    build(folder, Npm())
    with (folder / changed).open("a") as source:
        source.write("\n")

    build(folder, npm := Npm())

    assert npm.calls == ["run"]


@pytest.mark.parametrize("changed", ["package-lock.json", ".npmrc"])
def test_changed_packages_are_fetched_again(folder: Path, changed: str) -> None:
    build(folder, Npm())
    with (folder / changed).open("a") as source:
        source.write("\n")

    build(folder, npm := Npm())

    assert npm.calls == ["ci", "run"]


def test_removed_source_makes_the_page_stale(folder: Path) -> None:
    build(folder, Npm())
    (folder / "src" / "icon.svg").unlink()

    assert not bundle.is_current(folder)


@pytest.mark.parametrize("failing", ["ci", "run"])
def test_half_done_build_never_looks_finished(folder: Path, failing: str) -> None:
    with pytest.raises(bundle.BundleError):
        build(folder, Npm(failing))

    assert bundle.assets(folder) is None
    assert not bundle.is_current(folder)
    build(folder, Npm())
    assert bundle.is_current(folder)


def test_failed_rebuild_leaves_the_earlier_page(folder: Path) -> None:
    build(folder, Npm())
    with (folder / "index.html").open("a") as source:
        source.write("\n")

    with pytest.raises(bundle.BundleError):
        build(folder, Npm("run"))

    assert bundle.assets(folder) is not None
    assert not bundle.is_current(folder)


def test_page_without_its_stamp_is_not_served(folder: Path) -> None:
    build(folder, Npm())
    (folder / "dist" / bundle.STAMP).unlink()

    assert bundle.assets(folder) is None


@pytest.mark.process
def test_failure_says_what_npm_said_and_what_to_do(folder: Path) -> None:
    (folder / "package-lock.json").write_text("{}")

    with pytest.raises(bundle.BundleError) as failure:
        bundle.ensure(lambda _: None, folder)

    message = str(failure.value)
    assert "`npm ci --omit=dev` failed" in message
    assert "python -m gateway.pages.build" in message


def test_folder_without_sources_is_explained(tmp_path: Path) -> None:
    with pytest.raises(bundle.BundleError, match=re.escape("package-lock.json")):
        bundle.ensure(lambda _: None, tmp_path)


def test_lock_file_names_no_registry() -> None:
    packages = json.loads((bundle.FOLDER / "package-lock.json").read_text())["packages"]

    assert [name for name, entry in packages.items() if "resolved" in entry] == []
    assert all("integrity" in entry for name, entry in packages.items() if name)


@pytest.mark.process
def test_built_page_needs_no_other_server_and_no_eval() -> None:
    folder = bundle.ensure(lambda _: None)

    page = (folder / "index.html").read_text()
    addresses = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert addresses
    assert all(address.startswith("/graphiql/assets/") for address in addresses)
    assert all((folder / address.removeprefix("/graphiql/")).is_file() for address in addresses)
    scripts = "".join(path.read_text() for path in folder.rglob("*.js"))
    assert not re.search(r"\bnew Function\(|[^\w.$]eval\(|importScripts\(", scripts)
    styles = "".join(path.read_text() for path in folder.rglob("*.css"))
    assert not re.search(r"url\([\"']?(?:https?:)?//|@import", styles)
    assert sum(path.stat().st_size for path in folder.rglob("*")) < 3_000_000


def test_examples_have_a_title_and_parse() -> None:
    examples = sorted((bundle.FOLDER / "src" / "examples").glob("*.graphql"))

    assert examples
    for example in examples:
        title, about, *_ = example.read_text().splitlines()
        assert title.startswith("# "), example.name
        assert about.startswith("# "), example.name
        parse(example.read_text())
