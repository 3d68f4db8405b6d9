"""One experiment: start the product, send, ask, kill, and judge."""

import asyncio
import os
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.chaos.history import History
from tests.chaos.rounds import SENDERS, Sender, kill_in_turn
from tests.chaos.verdict import check
from tests.machine import Run, end, free_port, is_announced, is_ready, start, stop
from tests.servers import temporary_folder
from tests.storm.ledger import Ledger, midnight
from tests.storm.storm import Outcome, Storm

STORM_PROJECTS = ("storm-one", "storm-two", "storm-three")


def experiment(rounds: int, seed: int, say: Callable[[str], None]) -> str:
    """Kill each process `rounds` times; says what was survived, or raises AssertionError."""
    with temporary_folder() as folder:
        run = start(folder, free_port(), RATE_LIMIT_ENABLED="0")
        try:
            run.wait_until(lambda: is_announced(run))
            token = (folder / "demo-token").read_text(encoding="ascii").strip()
            histories = [History(f"sender-{n}", seed + n) for n in range(SENDERS)]
            senders = [Sender(run, history, token) for history in histories]
            for sender in senders:
                sender.start()
            with second_gateway(run, folder) as address:
                asking = Asking([run.address, address], token, seed)
                asking.start()
                for line in kill_in_turn(run, senders, rounds, seed):
                    say(line)
                outcome = asking.stop()
            sent = [sender.stop() for sender in senders]
            asyncio.run(check(run, token, histories, asking.sent()))
            assert stop(run) == 0
        finally:
            end(run)
    events = sum(len(history.events) for history in histories)
    retries = sum(each.retries for each in sent)
    return (
        f"{outcome.answers:,} answers of two gateways, each of one state and true of its time; "
        f"{events:,} events acknowledged, {retries} batches sent again, none lost or doubled"
    )


@contextmanager
def second_gateway(run: Run, folder: Path) -> Iterator[str]:
    """The address of one more gateway over the same servers, which is not killed."""
    # The first one catches the mails: whichever was late for a port of both could not start.
    own = {"PORT": str(port := free_port()), "DEMO_MAIL_PORT": "0"}
    variables = _variables(run.children()["gateway"]) | own
    printed = folder / "second-gateway.log"
    with printed.open("wb") as log:
        command = [sys.executable, "-m", "gateway", "serve"]
        process = subprocess.Popen(command, stdout=log, stderr=log, env=variables)
    second = Run(process, folder, port, printed)
    try:
        second.wait_until(lambda: is_ready(second))
        yield second.address
    finally:
        process.kill()
        process.wait()


def _variables(pid: int) -> dict[str, str]:
    """The environment of a process."""
    text = os.fsdecode(Path(f"/proc/{pid}/environ").read_bytes())
    return dict(line.split("=", 1) for line in text.split("\0") if "=" in line)


class Asking(threading.Thread):
    """The storm's questions while processes are killed; answers may fail, but never be wrong."""

    def __init__(self, addresses: list[str], token: str, seed: int) -> None:
        super().__init__(daemon=True)
        self._stopping = threading.Event()
        yesterday = midnight(datetime.now(UTC).date()) - timedelta(days=1)
        self._storm = Storm(
            addresses,
            {"Authorization": f"Bearer {token}"},
            Ledger(STORM_PROJECTS, seed, yesterday),
            lambda _outcome: self._stopping.is_set(),
            tolerant=True,
        )
        self._failure: Exception | None = None

    def run(self) -> None:
        try:
            asyncio.run(self._storm.run())
        except Exception as error:  # noqa: BLE001 - raised again by whoever stops it
            self._failure = error

    def stop(self) -> Outcome:
        self._stopping.set()
        self.join()
        if self._failure is not None:
            raise self._failure
        faults = self._storm.outcome.faults
        assert not faults, "\n\n".join(faults)
        assert self._storm.outcome.answers > 0
        return self._storm.outcome

    def sent(self) -> Counter[str]:
        """How many entities and rows were sent, by fact; each was acknowledged in the end."""
        return Counter(sent.fact.name for sent in self._storm.ledger.sent)
