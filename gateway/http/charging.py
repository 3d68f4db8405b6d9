"""Charges requests to the budgets, and tells clients in headers what is left."""

import time
from collections.abc import Mapping, Sequence
from functools import lru_cache

from access.budgets import Budgets, Spending
from access.limits import Limit
from gateway.http.exchange import Exchange
from gateway.http.proxies import budget_address
from storage.buckets import SECOND_US
from storage.errors import RateLimited


async def charge(exchange: Exchange, budgets: Budgets, charges: Mapping[str, int]) -> None:
    """Charges the viewer, or the client's address where there is none.

    Takes all charges at once, or none and raises RateLimited. A request is charged once: later
    calls repeat the first decision.
    """
    if exchange.spendings is None:
        viewer = exchange.viewer
        payer = viewer.key if viewer else f"address:{budget_address(exchange.address)}"
        exchange.spendings = await budgets.charge(payer, charges)
    refused = [spending for spending in exchange.spendings if not spending.level.allowed]
    if refused:
        raise _refusal(refused)


def remaining(exchange: Exchange, budget: str) -> int | None:
    """What is left of a budget after this request; None where it is not limited."""
    spendings = exchange.spendings or ()
    return next((one.level.remaining for one in spendings if one.budget == budget), None)


def budget_headers(exchange: Exchange) -> list[tuple[bytes, bytes]]:
    """The usual three `X-RateLimit-*` headers, and the two of the IETF's draft.

    There are none where no budget was charged. The usual ones describe the first budget, or the
    one that delays a refused request longest. `X-RateLimit-Reset` is the second since 1970 at which
    that budget is full again. A saved-up burst is not shown, so `Remaining` never exceeds `Limit`.
    """
    spendings = exchange.spendings
    if not spendings:
        return []
    first = max(spendings, key=lambda spending: spending.level.retry_us)  # of equal ones the first
    full_at = _seconds_up(int(time.time() * SECOND_US) + first.level.full_us)
    policies = ", ".join([_policy(one.budget, one.limit) for one in spendings])
    left = ", ".join(
        [
            f'"{one.budget}";r={_remaining(one)};t={_seconds_up(one.level.full_us)}'
            for one in spendings
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


def _refusal(refused: Sequence[Spending]) -> RateLimited:
    longest = max(refused, key=lambda spending: spending.level.retry_us)
    limit = longest.limit
    return RateLimited(
        f"The budget {longest.budget} is spent: {limit.refill} every {limit.period_seconds} "
        f"seconds, {limit.capacity} at once.",
        retry_after_seconds=max(0.001, longest.level.retry_us / SECOND_US),
    )


@lru_cache(maxsize=1024)
def _policy(budget: str, limit: Limit) -> str:
    return f'"{budget}";q={limit.refill};w={limit.period_seconds}'


def _remaining(spending: Spending) -> int:
    return min(spending.level.remaining, spending.limit.refill)


def _seconds_up(microseconds: int) -> int:
    return -(-microseconds // SECOND_US)
