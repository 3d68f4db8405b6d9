"""Reads the figures of the host and of this process: CPU, memory, load, disk, network, uptime."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

import psutil
import structlog

log = structlog.get_logger(component="host")

# Of hosts with more cores, only the figures of all together are read.
MAX_CORES = 16
SLOW_SECONDS = 300.0
_IDLE = ("idle", "iowait")
# Neither idle nor of the system itself: that of programs, and of other machines on the hardware.
_OF_OTHERS = ("user", "nice", "steal")
# Time of guests is part of that of users.
_GUESTS = ("guest", "guest_nice")
_PERIODS = ("1m", "5m", "15m")


class Figure(NamedTuple):
    """A value of a metric, and what it is of."""

    metric: str
    value: float
    labels: dict[str, str]


class Host:
    """The host that this process runs on; of a counter it tells what was added since before.

    Figures that this machine does not have are left out.
    """

    def __init__(self, path: str = "/", stopwatch: Callable[[], float] = time.monotonic) -> None:
        self._path = path
        self._stopwatch = stopwatch
        self._slow_at: float | None = None
        self._left_out: set[str] = set()
        self._cores: list[Any] = []
        self._counters: dict[str, Figure] = {}
        self.skip()

    def read(self) -> list[Figure]:
        """The figures now; of the CPU, those since the reading before. It takes milliseconds.

        What changes slowly is among them every SLOW_SECONDS, so that little is stored.
        """
        counters, before = self._counted(), self._counters
        self._counters = counters
        added = (
            Figure(figure.metric, figure.value - before[key].value, figure.labels)
            for key, figure in counters.items()
            if key in before and figure.value >= before[key].value  # not after a reset
        )
        return [*self._found(self._cpu, _memory_percent, _load), *added, *self._slow()]

    def now(self) -> list[Figure]:
        """The figures of this moment; of the CPU, those since the reading before."""
        return self._found(self._cpu, _memory_percent, _memory, _load, _uptime)

    def skip(self) -> None:
        """Leaves what was added to counters and used of the CPU so far out of the next reading."""
        self._counters = self._counted()
        self._found(self._cpu)

    def _found(self, *groups: Callable[[], Iterable[Figure]]) -> list[Figure]:
        """The figures of those groups that can be read; the log tells once of each other one."""
        found: list[Figure] = []
        for group in groups:
            try:
                found += list(group())
            except Exception:
                if (name := group.__name__.lstrip("_")) not in self._left_out:
                    self._left_out.add(name)
                    log.warning("host_figures_left_out", figures=name, exc_info=True)
        return found

    def _cpu(self) -> Iterator[Figure]:
        before, self._cores = self._cores, psutil.cpu_times(percpu=True)
        spent = [_difference(*pair) for pair in zip(self._cores, before, strict=False)]
        together = {name: sum(core[name] for core in spent) for name in (spent[0] if spent else ())}
        if together.get("total"):  # none if no time has passed
            yield Figure("system_cpu_busy_percent", _percent(together, "busy"), {})
        yield from _usage("all", together, ("user", "system", "iowait"))
        if len(spent) <= MAX_CORES:
            for number, core in enumerate(spent):
                yield from _usage(str(number), core, ("busy",))

    def _slow(self) -> list[Figure]:
        """Space in use and the uptime, if they were not read lately."""
        now = self._stopwatch()
        if self._slow_at is not None and now - self._slow_at < SLOW_SECONDS:
            return []
        self._slow_at = now
        return self._found(_memory, self._disk_space, _uptime, _own_memory)

    def _disk_space(self) -> Iterator[Figure]:
        usage = psutil.disk_usage(self._path)
        yield Figure("system_disk_usage_percent", usage.percent, {"path": self._path})
        for type_ in ("used", "free"):
            labels = {"path": self._path, "type": type_}
            yield Figure("system_disk_usage_bytes", getattr(usage, type_), labels)

    def _counted(self) -> dict[str, Figure]:
        """What only rises, for as long as the host runs and its devices are there."""
        figures = self._found(_disk_io, _network, _own_cpu)
        return {f"{figure.metric} {figure.labels}": figure for figure in figures}


def _difference(now: Any, before: Any) -> dict[str, float]:
    """The seconds that a core spent in each way, the total last."""
    spent = {
        name: max(seconds - getattr(before, name), 0.0)
        for name, seconds in now._asdict().items()
        if name not in _GUESTS
    }
    total = sum(spent.values())
    return {
        "user": spent["user"] + spent.get("nice", 0.0),
        "system": total - sum(spent.get(name, 0.0) for name in (*_IDLE, *_OF_OTHERS)),
        "iowait": spent.get("iowait", 0.0),
        "busy": total - sum(spent.get(name, 0.0) for name in _IDLE),
        "total": total,
    }


def _usage(core: str, spent: dict[str, float], types: tuple[str, ...]) -> Iterator[Figure]:
    if spent.get("total"):
        for type_ in types:
            labels = {"core": core, "type": type_}
            yield Figure("system_cpu_usage_percent", _percent(spent, type_), labels)


def _percent(spent: dict[str, float], type_: str) -> float:
    return round(100 * spent.get(type_, 0.0) / spent["total"], 3)


def _memory_percent() -> Iterator[Figure]:
    yield Figure("system_memory_usage_percent", psutil.virtual_memory().percent, {})


def _memory() -> Iterator[Figure]:
    memory = psutil.virtual_memory()
    for type_ in ("used", "available"):
        yield Figure("system_memory_usage_bytes", getattr(memory, type_), {"type": type_})
    yield Figure("system_memory_usage_bytes", psutil.swap_memory().used, {"type": "swap"})


def _load() -> Iterator[Figure]:
    for period, load in zip(_PERIODS, psutil.getloadavg(), strict=True):
        yield Figure("system_load_average", round(load, 3), {"period": period})


def _disk_io() -> Iterator[Figure]:
    if disk := psutil.disk_io_counters():
        yield Figure("system_disk_io_bytes", disk.read_bytes, {"direction": "read"})
        yield Figure("system_disk_io_bytes", disk.write_bytes, {"direction": "written"})


def _network() -> Iterator[Figure]:
    if net := psutil.net_io_counters():
        yield Figure("system_network_bytes", net.bytes_recv, {"direction": "received"})
        yield Figure("system_network_bytes", net.bytes_sent, {"direction": "sent"})


def _uptime() -> Iterator[Figure]:
    yield Figure("system_uptime_seconds", round(time.time() - psutil.boot_time(), 3), {})


def _own_cpu() -> Iterator[Figure]:
    yield Figure("process_cpu_seconds", time.process_time(), {"process": "gateway"})


def _own_memory() -> Iterator[Figure]:
    memory = psutil.Process().memory_info().rss
    yield Figure("process_memory_bytes", memory, {"process": "gateway"})
