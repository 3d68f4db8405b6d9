"""`gateway rollup`: the sums beside the facts, counted again."""

from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from gateway.config.settings import Settings
    from storage.facts.fact import Fact, Floors

app = typer.Typer(
    help="Recount or rebuild roll-ups from the facts, a day at a time.", no_args_is_help=True
)

First = Annotated[datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="First day, in UTC.")]
Last = Annotated[
    datetime | None,
    typer.Option("--to", formats=["%Y-%m-%d"], help="Last day, included [today]."),
]
FactName = Annotated[str, typer.Option("--fact", help="Which fact.")]

DayWork = Callable[[Any, "Fact", date, "Floors"], Awaitable[int]]


@app.command()
def recount(first: First, last: Last = None, fact: FactName = "deployment") -> None:
    """Compare roll-ups with a count over the facts; exit code 1 where they differ.

    Changes nothing, and events may come in meanwhile.

    Example: gateway rollup recount --from 2026-11-01 --to 2026-11-30
    """
    from storage.rollups.repair import recount_day

    async def work(connection: Any, fact: "Fact", day: date, floors: "Floors") -> int:
        differences = await recount_day(connection, fact, day, floors)
        typer.echo(f"{day}: {len(differences) or 'no'} differences")
        for difference in differences:
            typer.echo(f"  {difference.table}, {difference.side}: {dict(difference.row)}")
        return len(differences)

    raise typer.Exit(1 if _each_day(work, fact, first, last) else 0)


@app.command()
def rebuild(first: First, last: Last = None, fact: FactName = "deployment") -> None:
    """Write roll-ups anew from the facts, which must still be there.

    Queries are answered meanwhile; events wait while their day is written.

    Example: gateway rollup rebuild --from 2026-11-01 --to 2026-11-30
    """
    from gateway.cli.auditing import audited
    from storage.rollups.repair import rebuild_day

    async def work(connection: Any, fact: "Fact", day: date, floors: "Floors") -> int:
        await rebuild_day(connection, fact, day, floors)
        typer.echo(f"{day}: rebuilt")
        return 0

    days = {"from": str(first.date()), "to": str((last or datetime.now(UTC)).date())}
    with audited(_settings().database_url, "rollup.rebuild", fact, **days):
        _each_day(work, fact, first, last)


def _settings() -> "Settings":
    from gateway.config.settings import load_settings, require

    settings = load_settings(signs=False)
    require(settings, "database_url")
    return settings


def _each_day(work: DayWork, fact_name: str, first: datetime, last: datetime | None) -> int:
    """Do the work for each day on one connection; the sum of what it returned."""
    import asyncio

    from gateway.config.retention import retention
    from storage.connections.database import Database
    from storage.facts import FACTS

    settings = _settings()
    now = datetime.now(UTC)
    if fact_name not in FACTS:
        raise typer.BadParameter(f"one of {', '.join(FACTS)}", param_hint="--fact")

    async def run() -> int:
        database = await Database.open(
            settings.database_url, pool_size=1, statement_timeout_seconds=600
        )
        floors = retention(settings).floors(now)
        try:
            async with database.connection() as connection:
                days = _days(first, last or now)
                return sum([await work(connection, FACTS[fact_name], day, floors) for day in days])
        finally:
            await database.close()

    return asyncio.run(run())


def _days(first: datetime, last: datetime) -> Iterator[date]:
    day = first.date()
    while day <= last.date():
        yield day
        day += timedelta(days=1)
