"""How the processes of a run share its tests: file by file, those that take longest first."""

import pytest
from xdist.scheduler import LoadFileScheduling

# The tests of such a folder share one gateway with its data: one process runs them all.
TOGETHER = ("tests/browser/", "tests/clients/")
# Half a minute and more; so at the end no process works on one of them while others have nothing.
FIRST = (
    "tests/crawl/",
    "tests/clients/",
    "tests/browser/",
    "tests/chaos/",
    "tests/storm/",
    "tests/gateway/graphql/test_differential.py",
    "tests/gateway/graphql/live/",
    "tests/gateway/processes/",
    "tests/gateway/test_freshness.py",
    "tests/gateway/test_run_command.py",
    "tests/gateway/test_fuzz.py",
    "tests/mlflow/",
)


def share_of(node_id: str) -> str:
    """The folder or file whose tests one process runs."""
    file = node_id.partition("::")[0]
    return next((folder for folder in TOGETHER if file.startswith(folder)), file)


def place_of(node_id: str) -> int:
    """Where a test comes; tests of the same place stay in their order."""
    return next((at for at, name in enumerate(FIRST) if node_id.startswith(name)), len(FIRST))


class Shares(LoadFileScheduling):  # type: ignore[misc]  # it has no types
    """A scheduler of pytest-xdist that gives a process whole files, or folders that go together."""

    def _split_scope(self, nodeid: str) -> str:
        return share_of(nodeid)


def by_place(items: list[pytest.Item]) -> None:
    """Puts tests in their order, the same in each process."""
    items.sort(key=lambda item: place_of(item.nodeid))
