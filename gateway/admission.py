"""Decides before any work is done whether there is room for it in the budgets of who asks."""

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from functools import lru_cache
from typing import NamedTuple

import structlog
from starlette.requests import HTTPConnection
from starlette.types import Scope

from access.limits import Budget, Limit, Rule, Rules
from access.viewers import Viewer
from gateway.config.settings import Settings
from gateway.http.proxies import budget_address
from gateway.http.requests import address_of, state_of
from storage.admin import rate_limits
from storage.buckets import SECOND_US, Buckets, Level
from storage.connections.database import Database
from storage.errors import GatewayError, RateLimited

log = structlog.get_logger(component="admission")

# An admin's change holds in every process within this time.
RELOAD_SECONDS = 1.0
STATE = "limits"
# A body may name thousands of projects; others need the stores' connections too.
ASKED_AT_ONCE = 10
BURST_PART = 3  # events and costs may save up a third of a window


class Decided(NamedTuple):
    """One budget and what it said."""

    budget: str
    limit: Limit
    level: Level


def rules_of(settings: Settings) -> Rules:
    """The limits as the settings have them."""
    if not settings.rate_limit_enabled:
        return Rules({})
    window = settings.rate_limit_window

    def saved(refill: int) -> Limit:
        return Limit(refill, window, refill // BURST_PART)

    return Rules(
        {
            Budget.REQUESTS: Limit(settings.rate_limit_max, window, settings.rate_limit_burst),
            Budget.ADDRESS: Limit(settings.rate_limit_address_max, window),
            Budget.COST: saved(settings.rate_limit_cost_max),
            Budget.EVENTS: saved(settings.rate_limit_events_max),
            Budget.KIBIBYTES: saved(settings.rate_limit_kibibytes_max),
        }
    )


class Admission:
    """The rules in force, and the buckets they are counted in."""

    def __init__(
        self,
        rules: Rules,
        buckets: Buckets,
        database: Database,
        on_decision: Callable[[str, bool], None],
    ) -> None:
        self._rules = rules
        self._buckets = buckets
        self._database = database
        self._on_decision = on_decision
        self._task: asyncio.Task[None] | None = None

    @property
    def rules(self) -> Rules:
        return self._rules

    def start(self) -> None:
        """Follow what admins set; until it can be read, the settings' limits hold."""
        if self._rules.defaults:
            self._task = asyncio.create_task(self._follow(), name="rate-limits")

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def reload(self) -> None:
        rows = await rate_limits.every(self._database)
        self._rules = self._rules.with_overrides(
            Rule(row["budget"], row["subject"], _limit(row)) for row in rows
        )

    async def admit(
        self, connection: HTTPConnection, viewer: Viewer | None, charges: Mapping[str, int]
    ) -> None:
        """Take all charges at once, or raise RateLimited and take none.

        Without a viewer they are taken from the budgets of the client's address. An HTTP request
        is decided on once: for those who ask again the decision stands.
        """
        state, is_single = state_of(connection.scope), connection.scope["type"] == "http"
        decided: list[Decided] | None = state.get(STATE) if is_single else None
        if decided is None:
            if not self._rules:
                return
            who = viewer.key if viewer else f"address:{budget_address(address_of(connection))}"
            decided = state[STATE] = await self._decide(who, charges)
        refused = [each for each in decided if not each.level.allowed]
        if refused:
            raise _refusal(refused)

    async def _decide(self, who: str, charges: Mapping[str, int]) -> list[Decided]:
        decided = await self._take(who, charges)
        refused = [each for each in decided if not each.level.allowed]
        for each in refused or decided:  # a budget with room has let nothing in by itself
            self._on_decision(each.budget, each.level.allowed)
        return decided

    async def refused_projects(self, events: Mapping[str, int]) -> dict[str, float]:
        """Take each project's events from its own budget; those without room, and until when."""
        turns = asyncio.Semaphore(ASKED_AT_ONCE)

        async def take(slug: str, count: int) -> list[Decided]:
            async with turns:
                return await self._take(slug, {Budget.EVENTS: count})

        decisions = await asyncio.gather(*(take(*each) for each in events.items()))
        refused: dict[str, float] = {}
        for slug, decided in zip(events, decisions, strict=True):
            for each in decided:
                self._on_decision(each.budget, each.level.allowed)
                if not each.level.allowed:
                    refused[slug] = each.level.retry_us / SECOND_US
        return refused

    async def _take(self, who: str, charges: Mapping[str, int]) -> list[Decided]:
        limited = [
            (budget, limit, cost)
            for budget, cost in charges.items()
            if cost > 0 and (limit := self._rules.of(budget, who)) is not None
        ]
        if not limited:
            return []
        levels = await self._buckets.take(
            # What is more than a whole budget takes all of it.
            [
                limit.take(f"{budget}:{who}", min(cost, limit.capacity))
                for budget, limit, cost in limited
            ]
        )
        return [
            Decided(budget, limit, level)
            for (budget, limit, _cost), level in zip(limited, levels, strict=True)
        ]

    async def _follow(self) -> None:
        failing = False
        while True:
            try:
                await self.reload()
                failing = False
            except (GatewayError, OSError) as error:
                if not failing:
                    log.warning("rate_limits_unreadable", reason=str(error))
                failing = True
            await asyncio.sleep(RELOAD_SECONDS)


async def admit(
    connection: HTTPConnection, viewer: Viewer | None, charges: Mapping[str, int]
) -> None:
    """Ask the application's admission; one that has none lets everything in."""
    admission: Admission | None = getattr(connection.app.state, "admission", None)
    if admission is not None:
        await admission.admit(connection, viewer, charges)


def _limit(row: Mapping[str, int]) -> Limit:
    return Limit(row["refill"], row["period_seconds"], row["burst"], bool(row["exempt"]))


def _refusal(refused: Iterable[Decided]) -> RateLimited:
    longest = max(refused, key=lambda each: each.level.retry_us)
    limit = longest.limit
    return RateLimited(
        f"The budget {longest.budget} is spent: {limit.refill} every {limit.period_seconds} "
        f"seconds, {limit.capacity} at once.",
        retry_after_seconds=max(0.001, longest.level.retry_us / SECOND_US),
    )


def remaining(connection: HTTPConnection, budget: str) -> int | None:
    """What is left of a budget after this request's decision; None where it is not limited."""
    decided: list[Decided] = state_of(connection.scope).get(STATE, [])
    return next((each.level.remaining for each in decided if each.budget == budget), None)


def budget_headers(scope: Scope) -> list[tuple[bytes, bytes]]:
    """What the answer tells of the budgets the request took from, if it took from any."""
    decided: list[Decided] | None = state_of(scope).get(STATE)
    return limit_headers(decided) if decided else []


def limit_headers(decided: list[Decided], now: float | None = None) -> list[tuple[bytes, bytes]]:
    """The headers that tell of a decision: the usual three, and those of the IETF's draft.

    The usual ones tell of the first budget, or of the one that holds a refused request back for
    longest. `X-RateLimit-Reset` is the second since 1970 at which the budget is full again. What
    was saved up above the limit is not told, so `Remaining` is never above `Limit`.
    """
    first = max(decided, key=lambda each: each.level.retry_us)  # of equal ones the first
    now = time.time() if now is None else now
    full_at = _seconds_up(int(now * SECOND_US) + first.level.full_us)
    policies = ", ".join([_policy(each.budget, each.limit) for each in decided])
    left = ", ".join(
        [
            f'"{each.budget}";r={_remaining(each)};t={_seconds_up(each.level.full_us)}'
            for each in decided
        ]
    )
    fields = (
        ("x-ratelimit-limit", first.limit.refill),
        ("x-ratelimit-remaining", _remaining(first)),
        ("x-ratelimit-reset", full_at),
        ("ratelimit-policy", policies),
        ("ratelimit", left),
    )
    return [(name.encode(), str(value).encode("latin-1", "replace")) for name, value in fields]


@lru_cache(maxsize=1024)
def _policy(budget: str, limit: Limit) -> str:
    return f'"{budget}";q={limit.refill};w={limit.period_seconds}'


def _remaining(decided: Decided) -> int:
    return min(decided.level.remaining, decided.limit.refill)


def _seconds_up(microseconds: int) -> int:
    return -(-microseconds // SECOND_US)
