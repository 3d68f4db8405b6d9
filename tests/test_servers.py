"""Servers of tests keep their files in memory where there is room, and else where the rest is."""

import os
from pathlib import Path

import pytest

from tests.servers import roomy_memory


@pytest.fixture(autouse=True)
def no_folder_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TMPDIR", raising=False)


def test_memory_is_used_where_there_is_room(tmp_path: Path) -> None:
    assert roomy_memory(tmp_path, 1) == tmp_path
    assert roomy_memory(tmp_path, 2**60) is None
    assert roomy_memory(tmp_path / "not-there", 1) is None


def test_a_folder_that_somebody_names_is_the_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", os.fspath(tmp_path))
    assert roomy_memory(tmp_path, 1) is None


def test_memory_that_runs_no_programs_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Postgres' programs are copied beside its data where it may not read them in their place."""
    fields = list(os.statvfs(tmp_path))
    fields[8] |= os.ST_NOEXEC  # the flags
    monkeypatch.setattr(os, "statvfs", lambda _: os.statvfs_result(fields))
    assert roomy_memory(tmp_path, 1) is None
