"""`gateway rollup`: check or rebuild the roll-ups from the facts."""

from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.cli.connection import database_settings, with_connection
from gateway.config.settings import Settings

if TYPE_CHECKING:
    from storage.facts.fact import Fact, Floors

app = typer.Typer(
    help="Recount or rebuild roll-ups from the facts, a day at a time.", no_args_is_help=True
)

First = Annotated[datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="First day, in UTC.")]
Last = Annotated[
    datetime | None,
    typer.Option("--to", formats=["%Y-%m-%d"], help="Last day, inclusive, in UTC [today]."),
]
FactName = Annotated[
    str, typer.Option("--fact", help="The fact whose roll-ups to check or rebuild.")
]

DayWork = Callable[[Any, "Fact", date, "Floors"], Awaitable[int]]

STATEMENT_TIMEOUT_SECONDS = 600


@app.command()
def recount(first: First, last: Last = None, fact: FactName = "deployment") -> None:
    """Compare roll-ups with a count over the facts; exit code 1 if they differ.

    Changes nothing. Events may come in meanwhile.

    Example: gateway rollup recount --from 2026-11-01 --to 2026-11-30
    """
    from storage.rollups.repair import recount_day

    async def work(connection: Any, fact: "Fact", day: date, floors: "Floors") -> int:
        differences = await recount_day(connection, fact, day, floors)
        typer.echo(f"{day}: {len(differences) or 'no'} differences")
        for difference in differences:
            typer.echo(f"  {difference.table}, {difference.side}: {dict(difference.row)}")
        return len(differences)

    raise typer.Exit(1 if _for_each_day(database_settings(), work, fact, first, last) else 0)


@app.command()
def rebuild(first: First, last: Last = None, fact: FactName = "deployment") -> None:
    """Compute roll-ups again from the facts; days whose facts were deleted are left alone.

    Queries are answered meanwhile; events of a day wait while that day is rebuilt.

    Example: gateway rollup rebuild --from 2026-11-01 --to 2026-11-30
    """
    from gateway.cli.auditing import audited
    from storage.rollups.repair import rebuild_day

    async def work(connection: Any, fact: "Fact", day: date, floors: "Floors") -> int:
        await rebuild_day(connection, fact, day, floors)
        typer.echo(f"{day}: rebuilt")
        return 0

    settings = database_settings()
    days = {"from": str(first.date()), "to": str((last or datetime.now(UTC)).date())}
    with audited(settings.database_url, "rollup.rebuild", fact, **days):
        _for_each_day(settings, work, fact, first, last)


def _for_each_day(
    settings: Settings, work: DayWork, fact_name: str, first: datetime, last: datetime | None
) -> int:
    """Run `work` for each day on one connection; returns the sum of its results."""
    from gateway.config.retention import retention
    from storage.facts import FACTS
    from storage.keeping.partitions import can_recount

    now = datetime.now(UTC)
    if fact_name not in FACTS:
        raise typer.BadParameter(f"one of {', '.join(FACTS)}", param_hint="--fact")
    fact, floors = FACTS[fact_name], retention(settings).floors(now)

    async def run(connection: Any) -> int:
        count = ((last or now).date() - first.date()).days + 1
        days = [first.date() + timedelta(days=number) for number in range(count)]
        result = 0
        for day in days:
            if await can_recount(connection, fact, day):
                result += await work(connection, fact, day, floors)
            else:
                typer.echo(f"{day}: its facts were deleted")
        return result

    return with_connection(run, settings.database_url, STATEMENT_TIMEOUT_SECONDS)
