"""One experiment: start the product, send, kill, and judge."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime

from tests.chaos.history import History
from tests.chaos.rounds import SENDERS, Sender, kill_in_turn
from tests.chaos.verdict import check
from tests.machine import free_port, is_told, start, stop
from tests.servers import temporary_folder


def experiment(rounds: int, seed: int, say: Callable[[str], None]) -> str:
    """Kill each process `rounds` times; says what was survived, or raises AssertionError."""
    now = datetime.now(UTC)
    with temporary_folder() as folder:
        run = start(folder, free_port())
        try:
            run.wait_until(lambda: is_told(run))
            token = (folder / "demo-token").read_text(encoding="ascii").strip()
            histories = [History(f"sender-{n}", seed + n, now) for n in range(SENDERS)]
            senders = [Sender(run, history, token) for history in histories]
            for sender in senders:
                sender.start()
            for line in kill_in_turn(run, rounds, seed):
                say(line)
            sent = [sender.stop() for sender in senders]
            asyncio.run(check(run, token, histories, run.database_url))
            assert stop(run) == 0
        finally:
            run.process.kill()
            run.process.wait()
    events = sum(history.event_count() for history in histories)
    retries = sum(each.retries for each in sent)
    return f"{events:,} events acknowledged, {retries} batches sent again, none lost or doubled"
