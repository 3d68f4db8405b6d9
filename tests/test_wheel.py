"""The wheel holds what a server needs and nothing else."""

import subprocess
import sys
import zipfile

import pytest

from tests.test_layout import PACKAGES, ROOT

pytestmark = pytest.mark.process


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The files of the wheel."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def test_packages_are_there_and_no_others(names: set[str]) -> None:
    tops = {name.split("/")[0] for name in names if ".dist-info/" not in name}
    assert tops == set(PACKAGES)
    assert not [name for name in names if "node_modules" in name or "__pycache__" in name]


def test_every_module_is_there(names: set[str]) -> None:
    modules = {
        str(path.relative_to(ROOT))
        for package in PACKAGES
        for path in (ROOT / package).rglob("*.py")
        if "node_modules" not in path.parts
    }
    assert modules <= names


def test_migrations_are_within_the_package(names: set[str]) -> None:
    versions = {path.name for path in (ROOT / "alembic" / "versions").glob("*.py")}
    assert versions
    assert {f"gateway/alembic/{name}" for name in ("env.py", "facts.py")} <= names
    assert {f"gateway/alembic/versions/{version}" for version in versions} <= names


def test_pages_are_within_the_package(names: set[str]) -> None:
    files = [path for path in (ROOT / "dashboard" / "dist").rglob("*") if path.is_file()]
    pages = {f"gateway/pages/{path.relative_to(ROOT / 'dashboard')}" for path in files}
    assert "gateway/pages/dist/dashboard/index.html" in pages
    assert pages <= names
    assert not [name for name in names if name.endswith((".ts", ".tsx"))]
