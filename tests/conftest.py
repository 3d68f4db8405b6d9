"""Fixtures every test may use: a real Postgres and a real Redis on fresh data.

TEST_DATABASE_URL and TEST_REDIS_URL name other servers than the embedded ones; the role must be a
superuser (tests make databases and roles, and end sessions), and the Redis database is emptied, as
are the ones after it where several processes test.
Where CI is set, a skipped test or file of tests fails, and so does a run of the whole suite that
leaves out a test named in docs/requirements.md.
"""

import gc
import os
from collections.abc import Generator, Iterator
from typing import TypeVar
from urllib.parse import urlsplit

import pytest
import redis

from gateway.embedded.processes import running
from gateway.embedded.redis import EmbeddedRedis
from tests.proofs import ProofsRan
from tests.servers import Databases, temporary_folder, throw_away_postgres
from tests.shares import Shares, by_place
from tests.turns import Turns, is_worker

Report = TypeVar("Report", pytest.TestReport, pytest.CollectReport)


def pytest_configure(config: pytest.Config) -> None:
    if is_worker(config):
        config.pluginmanager.register(Turns())
    elif os.environ.get("CI"):
        config.pluginmanager.register(ProofsRan())


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> Shares | None:
    return Shares(config, log) if config.option.dist == "loadfile" else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    by_place(items)


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Ids without the bytes themselves: compressed ones hold the time, and differ by process."""
    return argname if isinstance(val, bytes) else None


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Imports make hardly any garbage, and what they made stays: neither is looked through."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.collect()
        gc.freeze()
        gc.enable()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    return _without_skip((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    return _without_skip((yield))


def _without_skip(report: Report) -> Report:
    """The report; where CI is set, one of a skip becomes a failure that says why it was skipped."""
    if report.skipped and os.environ.get("CI") and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"Skipped, though CI is set: {report.longreprtext}"
    return report


@pytest.fixture(scope="session")
def databases() -> Iterator[Databases]:
    """Makes databases; for tests that need one of their own, or an empty one."""
    if server_url := os.environ.get("TEST_DATABASE_URL"):
        yield from _databases(server_url)
        return
    with throw_away_postgres() as server_url:
        yield from _databases(server_url)


def _databases(server_url: str) -> Iterator[Databases]:
    databases = Databases.on(server_url)
    yield databases
    databases.remove_template()


@pytest.fixture(scope="session")
def database_url(databases: Databases) -> Iterator[str]:
    """A migrated database that all tests share: each works on projects of its own."""
    with databases.fresh() as url:
        yield url


@pytest.fixture
def own_database_url(databases: Databases) -> Iterator[str]:
    """A migrated database for one test alone."""
    with databases.fresh() as url:
        yield url


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """A Redis that all tests share: each works on keys of its own."""
    if url := os.environ.get("TEST_REDIS_URL"):
        url = _own_redis(url)
        with redis.Redis.from_url(url) as client:
            client.flushdb()
        yield url
        return
    with temporary_folder() as folder, running(EmbeddedRedis(folder)) as server:
        yield server.url


def _own_redis(url: str) -> str:
    """The address for this process: each that runs a part of the tests has a number of its own."""
    part, address = os.environ.get("PYTEST_XDIST_WORKER", "gw0"), urlsplit(url)
    number = int(address.path.strip("/") or 0) + int(part.removeprefix("gw"))
    return address._replace(path=f"/{number}").geturl()
