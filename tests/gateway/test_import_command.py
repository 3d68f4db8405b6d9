"""`gateway import`: its output, the database it imports into, and its interruption."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gateway.embedded.postgres import EmbeddedPostgres, running_postgres
from gateway.embedded.processes import running
from tests.gateway.test_cli import ROOT, gateway
from tests.servers import temporary_folder

DATA = str(ROOT / "tests" / "data")


def test_without_a_name_it_lists_the_sets() -> None:
    done = gateway("import")
    assert done.returncode == 0
    assert [line.split()[0] for line in done.stdout.splitlines() if line[0] != " "] == [
        "templates",
        "networks",
        "govuk",
        "devlake",
        "lrts",
        "treeherder",
        "taskcluster",
        "lambda-perf",
        "azure-llm",
        "har",
        "apache",
        "glitchtip",
        "kafka",
        "kafka-logs",
        "uptime",
    ]


def test_totals_are_printed_and_a_second_import_changes_nothing(own_database_url: str) -> None:
    arguments = ["import", "govuk", DATA, "--shift-to-now", "--batch", "200"]
    first = gateway(*arguments, DATABASE_URL=own_database_url)
    second = gateway(*arguments, DATABASE_URL=own_database_url)
    assert first.returncode == second.returncode == 0
    assert "govuk: 670 accepted, 0 already there, 0 left out" in first.stdout
    assert "govuk: 0 accepted, 670 already there, 0 left out" in second.stdout
    assert "329 deployments of 3 projects" in second.stdout
    assert "by environment: integration 131, production 100, staging 98" in second.stdout
    assert "by status: succeeded 317, rolled_back 12" in second.stdout


def test_deployments_past_retention_are_reported(own_database_url: str) -> None:
    old = gateway("import", "devlake", DATA, DATABASE_URL=own_database_url)
    assert "DAILY_RETENTION_DAYS" in old.stdout
    assert "--shift-to-now" in old.stdout


def test_events_too_old_to_be_recognised_are_left_out(own_database_url: str) -> None:
    old = gateway("import", "har", DATA, DATABASE_URL=own_database_url)
    assert "har: 0 accepted, 0 already there, 0 left out" in old.stdout
    assert "27 events were left out: their rows are kept for 90 days" in old.stdout


def test_bad_rows_are_reported_with_their_lines(own_database_url: str, tmp_path: Path) -> None:
    file = tmp_path / "chains.jsonl"
    file.write_text('{"chainId": 10, "name": "Optimism"}\nnot json\n')
    done = gateway("import", "networks", str(file), DATABASE_URL=own_database_url)
    assert done.returncode == 0
    assert "networks: 1 accepted, 0 already there, 1 left out" in done.stdout
    assert "chains.jsonl:2: the line is not JSON" in done.stderr


@pytest.mark.parametrize(
    ("name", "source", "words"),
    [("weather", DATA, "there is no set"), ("govuk", "docs", "There is no deployments/govuk")],
)
def test_missing_set_or_file_is_named_without_a_traceback(
    own_database_url: str, name: str, source: str, words: str
) -> None:
    done = gateway("import", name, source, DATABASE_URL=own_database_url)
    assert done.returncode in (1, 2)
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_interrupting_says_how_to_continue(own_database_url: str) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "gateway", "import", "all", DATA, "--batch", "1"],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": own_database_url},
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        # What a shell runs in the background ignores the signal, and so would its children.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
    )
    assert process.stdout is not None
    process.stdout.readline()  # it has begun
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "run it again to continue" in errors
    again = gateway("import", "govuk", DATA, DATABASE_URL=own_database_url)
    assert "329 deployments of 3 projects" in again.stdout


@pytest.mark.process
def test_server_of_the_data_folder_is_found_while_it_runs() -> None:
    with temporary_folder() as folder:
        assert running_postgres(folder) is None
        with running(EmbeddedPostgres(folder, lambda _line: None, throw_away=True)) as server:
            assert running_postgres(folder) == server.url()
            note = (folder / "postgres" / "postmaster.pid").read_text()
        assert running_postgres(folder) is None
        lines = note.splitlines()
        ended = subprocess.Popen(["true"])
        ended.wait()
        (folder / "postgres" / "postmaster.pid").write_text("\n".join([str(ended.pid), *lines[1:]]))
        assert running_postgres(folder) is None
