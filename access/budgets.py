"""Budgets: how much each viewer, address and project may still take, decided before any work."""

import asyncio
from collections.abc import Callable, Mapping
from typing import NamedTuple

import structlog

from access.limits import Budget, Limit, Rules
from storage.admin import rate_limits
from storage.buckets import SECOND_US, Buckets, Level
from storage.connections.database import Database
from storage.errors import GatewayError

log = structlog.get_logger(component="admission")

# An admin's change holds in every process within this time.
RELOAD_SECONDS = 1.0
# A body may name thousands of projects; others need the stores' connections too.
CONCURRENT_CHARGES = 10


class Spending(NamedTuple):
    """One charge to a budget, and how full the budget is afterwards."""

    budget: str
    limit: Limit
    level: Level


class Budgets:
    """The limits in force, and the buckets they are counted in."""

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

    async def reload(self) -> None:
        self._rules = self._rules.with_overrides(await rate_limits.find_all(self._database))

    async def charge(self, payer: str, charges: Mapping[str, int]) -> list[Spending]:
        """Takes all charges from the payer's budgets, or none if one of them has no room.

        Returns a spending for each budget that is limited.
        """
        spendings = await self._take(payer, charges) if self._rules else []
        refused = [spending for spending in spendings if not spending.level.allowed]
        for spending in refused or spendings:  # a budget with room has let nothing in by itself
            self._on_decision(spending.budget, spending.level.allowed)
        return spendings

    async def refused_projects(self, events: Mapping[str, int]) -> dict[str, float]:
        """Takes each project's number of events from its own budget.

        Returns the projects without room, with the seconds until they have it again.
        """
        turns = asyncio.Semaphore(CONCURRENT_CHARGES)

        async def charge(slug: str, count: int) -> list[Spending]:
            async with turns:
                return await self.charge(slug, {Budget.EVENTS: count})

        by_project = await asyncio.gather(*(charge(*project) for project in events.items()))
        return {
            slug: spending.level.retry_us / SECOND_US
            for slug, spendings in zip(events, by_project, strict=True)
            for spending in spendings
            if not spending.level.allowed
        }

    async def take(self, budget: str, payer: str, limit: Limit, cost: int) -> float | None:
        """Takes from a budget whose limit the caller knows; returns the seconds to wait, or None.

        It is limited also where no other budget is.
        """
        taken = limit.take(f"{budget}:{payer}", min(cost, limit.capacity))
        (level,) = await self._buckets.take([taken])
        self._on_decision(budget, level.allowed)
        return None if level.allowed else level.retry_us / SECOND_US

    async def _take(self, payer: str, charges: Mapping[str, int]) -> list[Spending]:
        limited = [
            (budget, limit, cost)
            for budget, cost in charges.items()
            if cost > 0 and (limit := self._rules.of(budget, payer)) is not None
        ]
        if not limited:
            return []
        levels = await self._buckets.take(
            # A charge above a whole budget takes all of it.
            [
                limit.take(f"{budget}:{payer}", min(cost, limit.capacity))
                for budget, limit, cost in limited
            ]
        )
        return [
            Spending(budget, limit, level)
            for (budget, limit, _cost), level in zip(limited, levels, strict=True)
        ]

    async def follow(self) -> None:
        """Follows the limits that admins set; until they can be read, the defaults hold."""
        failing = False
        while self._rules.defaults:  # without them, nothing is limited
            try:
                await self.reload()
                failing = False
            except (GatewayError, OSError) as error:
                if not failing:
                    log.warning("rate_limits_unreadable", reason=str(error))
                failing = True
            await asyncio.sleep(RELOAD_SECONDS)
