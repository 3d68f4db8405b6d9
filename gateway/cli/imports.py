"""`gateway import`: real data sets from files."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.cli.connection import database_settings, fail
from gateway.config.settings import Settings

if TYPE_CHECKING:
    from ingest.bulk import Target
    from ingest.importers import Imported, Importer, Options

ALL = "all"
PROBLEMS_SHOWN = 20
NAMES_SHOWN = 10

SetName = Annotated[
    str | None, typer.Argument(help="The data set, or `all`; without it, they are listed.")
]
Source = Annotated[
    Path | None,
    typer.Argument(help="The folder of all sets, of this one, or its file (.gz too)."),
]
ShiftToNow = Annotated[
    bool,
    typer.Option(
        "--shift-to-now",
        help="Move all times by whole days, so that the last event is today.",
    ),
]
BatchEvents = Annotated[int, typer.Option("--batch", help="Events per batch.", min=1, max=10_000)]


def import_(
    name: SetName = None,
    source: Source = None,
    shift_to_now: ShiftToNow = False,
    batch: BatchEvents = 2_000,
) -> None:
    """Import a real data set: events of any kind, templates or networks.

    Events are written as if they came over HTTP, but may be of any age. Run an interrupted import
    again to continue it; importing twice changes nothing. Rows that cannot be read are reported
    with their lines, and the others are imported. Writes to DATABASE_URL, or else to the server
    that `gateway run` has started on DATA_DIR.

    Example: gateway import govuk some/folder --shift-to-now
    """
    from datetime import UTC, datetime

    from gateway.cli.auditing import audited
    from gateway.config.retention import retention
    from ingest.bulk import Target
    from ingest.importers import IMPORTERS, Options

    if name is None or source is None:
        for importer in IMPORTERS.values():
            typer.echo(f"{importer.name:<12} {importer.description}")
            for part in importer.parts():
                typer.echo(f"{'':<13}{part.pattern}")
        return
    if name != ALL and name not in IMPORTERS:
        known = ", ".join([*IMPORTERS, ALL])
        raise typer.BadParameter(f"there is no set {name!r}; known: {known}", param_hint="NAME")
    settings = database_settings(or_running=True)
    options = Options(shift_to_now, batch)
    for importer in IMPORTERS.values() if name == ALL else [IMPORTERS[name]]:
        target = Target(settings.database_url, datetime.now(UTC), retention(settings))
        with audited(settings.database_url, "import", importer.name, source=source.name):
            imported = _import(importer, source, target, options)
        _print_result(importer.name, imported)
        _print_retention(imported, settings)


def _import(
    importer: "Importer[Any]", source: Path, target: "Target", options: "Options"
) -> "Imported":
    """Run the importer with a progress bar; ends the command if it fails or is interrupted."""
    import asyncio

    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    from storage.errors import GatewayError

    columns = ("{task.description}", BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    try:
        with Progress(*columns) as bar:
            task = bar.add_task(importer.name, total=None)

            def show(done: int, total: int) -> None:
                bar.update(task, completed=done, total=total)

            return asyncio.run(importer.run(source, target, options, show))
    except GatewayError as error:
        fail(f"{importer.name}: {error.message}")
    except KeyboardInterrupt:
        typer.echo(f"{importer.name}: interrupted; run it again to continue", err=True)
        raise typer.Exit(130) from None


def _print_result(name: str, imported: "Imported") -> None:
    """Print how many events were accepted, the problems, and the totals of the file."""
    typer.echo(
        f"{name}: {imported.accepted:,} accepted, {imported.duplicates:,} already there,"
        f" {len(imported.problems)} left out"
    )
    for problem in imported.problems[:PROBLEMS_SHOWN]:
        typer.echo(f"  {problem.location}: {problem.message}", err=True)
    if len(imported.problems) > PROBLEMS_SHOWN:
        typer.echo(f"  and {len(imported.problems) - PROBLEMS_SHOWN} more", err=True)
    if imported.moved_days:
        typer.echo(f"  times moved by {imported.moved_days} days")
    for totals in imported.totals:
        typer.echo(
            f"  {totals.count:,} {totals.fact.noun} of {_projects(totals.projects)},"
            f" from {totals.first.isoformat()} to {totals.last.isoformat()}"
        )
        for word, counts in {"status": totals.by_status, **totals.by_dimension}.items():
            typer.echo(f"    by {word}: {_listed(counts)}")


def _print_retention(imported: "Imported", settings: Settings) -> None:
    """Print how much is too old for the figures, and how to have it counted."""
    hint = "" if imported.moved_days else "; --shift-to-now makes an old set recent"
    if imported.too_old:
        typer.echo(
            f"  {imported.too_old:,} events were left out: their rows are kept for"
            f" {settings.event_retention_days} days (EVENT_RETENTION_DAYS, 0 keeps all){hint}"
        )
    for totals in imported.totals:
        noun = totals.fact.noun
        if totals.without_hours:
            typer.echo(
                f"  {totals.without_hours:,} {noun} count in daily figures only: finer ones are"
                f" kept for {settings.metrics_retention_days} days (METRICS_RETENTION_DAYS)"
            )
        if totals.without_days:
            typer.echo(
                f"  {totals.without_days:,} {noun} count in no figure, and the worker will remove"
                f" them: they are kept for {settings.daily_retention_days} days"
                f" (DAILY_RETENTION_DAYS, 0 keeps all){hint}"
            )


def _projects(count: int) -> str:
    return "1 project" if count == 1 else f"{count} projects"


def _listed(counts: dict[str, int]) -> str:
    """The names with the highest counts, and how many names there are besides."""
    shown = ", ".join(f"{name} {count:,}" for name, count in list(counts.items())[:NAMES_SHOWN])
    more = len(counts) - NAMES_SHOWN
    return f"{shown} and {more:,} more" if more > 0 else shown
