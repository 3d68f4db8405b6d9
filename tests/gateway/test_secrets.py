"""Secrets come by file or environment, and no output of any kind ever shows one."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import httpx
import pytest
from structlog.testing import capture_logs

from access.viewers import Role
from gateway.config.credentials import warn_of_open_files
from gateway.config.settings import Settings, SettingsError, load_settings
from gateway.embedded.postgres import EmbeddedPostgres
from gateway.embedded.processes import running
from gateway.embedded.redis import EmbeddedRedis
from tests.gateway.application import as_role, gateway_process
from tests.servers import temporary_folder

MARK = "Zq7-recognisable-6Kp"
SIGNING = f"{MARK}-0123456789abcdef0123456789abcdef"


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [*(field.upper() for field in Settings.model_fields), "GATEWAY_ENV"]:
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("DATABASE_URL", f"postgresql://u:{MARK}@db.test/name"),
        ("REDIS_URL", f"rediss://:{MARK}@redis.test:6379/0"),
        ("JWT_SECRET", SIGNING),
    ],
)
def test_each_secret_may_come_as_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    file = tmp_path / "secret"
    file.write_text(f"{value}\n")
    monkeypatch.setenv(f"{variable}_FILE", str(file))
    settings = load_settings(signs=False)
    assert getattr(settings, variable.lower()) == value
    assert MARK not in repr(settings)
    monkeypatch.setenv(variable, value)
    with pytest.raises(SettingsError, match=f"set {variable} or {variable}_FILE, not both"):
        load_settings(signs=False)


def test_file_that_every_user_may_read_is_told_of(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text(SIGNING)
    for mode, expected in {0o600: [], 0o640: [], 0o644: [str(file)]}.items():
        file.chmod(mode)
        with capture_logs() as lines:
            warn_of_open_files(Settings(jwt_secret_file=file))
        assert [line["path"] for line in lines] == expected
        assert MARK not in str(lines)


def test_file_that_is_no_text_is_told(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_bytes(b"\xff\xfe" + MARK.encode())
    with pytest.raises(SettingsError, match="is not UTF-8 text") as refusal:
        load_settings(signs=False, database_url_file=file)
    assert MARK not in str(refusal.value)


UNREADABLE = [
    MARK,
    f"mysql://u:{MARK}@h/x",
    f"postgresql://u:pa/{MARK}@h/x",
    f"postgresql://u:{MARK}#@h/x",
    f"postgresql://u:{MARK}?@h:1/x",
    f"postgresql://u:[{MARK}@h/x",
    f"postgresql://u:{MARK}@h:{MARK}/x",
    f"postgresql://u@h/x?connect_timeout={MARK}",
]
# Nothing listens there, or no such name, or an option that the driver refuses.
UNREACHABLE = [
    f"postgresql://u:{MARK}@127.0.0.1:1/x",
    f"postgresql://u:{MARK}@no%20such%20host.invalid/x",
    f"postgresql://u:%ZZ{MARK}@127.0.0.1:1/x?sslmode={MARK}",
    f"postgresql://u@127.0.0.1:1/x?password={MARK}",
]


@pytest.mark.parametrize("url", UNREADABLE)
def test_unreadable_address_is_told_without_a_letter_of_it(url: str) -> None:
    with pytest.raises(SettingsError, match="DATABASE_URL ") as refusal:
        load_settings(signs=False, database_url=url)
    assert MARK not in f"{refusal.value!r} {refusal.value.__cause__!r}"
    with pytest.raises(ValueError, match="DATABASE_URL ") as raw:
        Settings(database_url=url)
    assert MARK not in str(raw.value)


@pytest.mark.process
@pytest.mark.parametrize("url", UNREACHABLE)
def test_command_that_fails_shows_no_password(url: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "gateway", "migrate"],
        env={**os.environ, "DATABASE_URL": url},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode != 0
    assert MARK not in done.stdout + done.stderr


@pytest.fixture
def guarded() -> Iterator[str]:
    """A Postgres that asks the role `guarded` for its password; the address lacks it."""
    with temporary_folder() as folder:
        server = EmbeddedPostgres(folder, lambda _line: None, throw_away=True)
        with running(server):
            asyncio.run(_guard(server.url("postgres")))
            yield server.url("postgres")


async def _guard(url: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("create role guarded login password 'another'")
        file = await connection.fetchval("show hba_file")
        rules = "local all guarded scram-sha-256\nlocal all all trust\n"
        await connection.execute(
            f"copy (select unnest(array['{rules}'])) to '{file}' csv quote ' '"
        )
        await connection.execute("select pg_reload_conf()")
    finally:
        await connection.close()


@pytest.mark.process
def test_wrong_passwords_are_shown_nowhere(guarded: str, tmp_path: Path) -> None:
    with temporary_folder() as folder, running(EmbeddedRedis(folder)) as redis:
        database_url = guarded.replace("//postgres@", f"//guarded:{MARK}@")
        redis_url = redis.url.replace("unix://", f"unix://:{MARK}@")
        log = tmp_path / "log"
        with gateway_process(database_url, redis_url, str(log), LOG_LEVEL="debug") as process:
            said = "".join(_answers(process.url))
            process.stop()
            process.process.wait(timeout=30)
        written = log.read_text()
    assert "UNAVAILABLE" in said
    assert MARK not in said + written


def _answers(url: str) -> Iterator[str]:
    with httpx.Client(base_url=url, headers=as_role(Role.ADMIN), timeout=30) as client:
        query = '{deploymentStats(range:{last:"P2D"}){attempts}}'
        yield client.post("/graphql", json={"query": query}).text
        yield client.post("/v1/events", json=[]).text
        for path in ("/ready", "/health", "/live", "/metrics", "/nothing"):
            yield client.get(path).text
