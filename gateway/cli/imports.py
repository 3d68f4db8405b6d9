"""`gateway import`: real data sets from files."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from gateway.config.settings import Settings
    from ingest.bulk import Target
    from ingest.importers import Imported, Importer, Options

ALL = "all"
PROBLEMS_SHOWN = 20

SetName = Annotated[
    str | None, typer.Argument(help="Which set, or `all`; without it they are listed.")
]
Source = Annotated[
    Path | None,
    typer.Argument(help="The folder of all sets, or of this one, or its file; .gz as well."),
]
ShiftToNow = Annotated[
    bool,
    typer.Option(
        "--shift-to-now", help="Move all times by whole days, so that the last event is of today."
    ),
]
Projects = Annotated[
    list[str] | None, typer.Option("--project", help="Only this project; may be repeated.")
]
BatchEvents = Annotated[int, typer.Option("--batch", help="Events per batch.", min=1, max=10_000)]


def import_(
    name: SetName = None,
    source: Source = None,
    shift_to_now: ShiftToNow = False,
    project: Projects = None,
    batch: BatchEvents = 2_000,
) -> None:
    """Import a real data set: deployments, templates or networks.

    It goes the way of events over HTTP, except that it may be of any age. One that was interrupted
    goes on where it stopped when it is run again; one that is repeated changes nothing. Rows that
    cannot be read are told with their lines, and the others are imported. Goes to DATABASE_URL, or
    else to the server that `gateway run` has started on DATA_DIR.

    Example: gateway import govuk some/folder --shift-to-now
    """
    from gateway.cli.auditing import audited
    from gateway.config.settings import load_settings, require
    from ingest.importers import IMPORTERS, Options

    if name is None or source is None:
        for importer in IMPORTERS.values():
            typer.echo(f"{importer.name:<10} {importer.description}")
            typer.echo("".join(f"{'':<11}{file}\n" for file in importer.files), nl=False)
        return
    if name != ALL and name not in IMPORTERS:
        known = ", ".join([*IMPORTERS, ALL])
        raise typer.BadParameter(f"there is no set {name!r}; there are {known}", param_hint="NAME")
    settings = _with_database(load_settings(signs=False))
    require(settings, "database_url")
    options = Options(shift_to_now, frozenset(project or ()), batch)
    for importer in IMPORTERS.values() if name == ALL else [IMPORTERS[name]]:
        with audited(
            settings.database_url, "import", importer.name, source=source.name, projects=project
        ):
            imported = _import(importer, source, _target(settings), options)
        _tell(importer.name, imported)
        _warn(imported, settings)


def _with_database(settings: "Settings") -> "Settings":
    """Without an address: the server that `gateway run` has started on the same data folder."""
    from gateway.embedded.address import running_postgres

    if settings.database_url:
        return settings
    return settings.model_copy(
        update={"database_url": running_postgres(settings.data_dir.resolve()) or ""}
    )


def _target(settings: "Settings") -> "Target":
    from datetime import UTC, datetime

    from gateway.config.retention import retention
    from ingest.bulk import Target

    return Target(settings.database_url, datetime.now(UTC), retention(settings))


def _import(importer: "Importer", source: Path, target: "Target", options: "Options") -> "Imported":
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
        typer.echo(f"{importer.name}: {error.message}", err=True)
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        typer.echo(f"{importer.name}: interrupted; run it again to go on", err=True)
        raise typer.Exit(130) from None


def _tell(name: str, imported: "Imported") -> None:
    """What came of it, as counted over the file and the answers to each event."""
    typer.echo(
        f"{name}: {imported.accepted} accepted, {imported.duplicates} already there,"
        f" {len(imported.problems)} left out"
    )
    for problem in imported.problems[:PROBLEMS_SHOWN]:
        typer.echo(f"  {problem.location}: {problem.message}", err=True)
    if len(imported.problems) > PROBLEMS_SHOWN:
        typer.echo(f"  and {len(imported.problems) - PROBLEMS_SHOWN} more", err=True)
    if imported.moved_days:
        typer.echo(f"  times moved by {imported.moved_days} days")
    if totals := imported.totals:
        statuses = {status.name: count for status, count in totals.by_status.items()}
        typer.echo(f"  {totals.deployments} deployments of {totals.projects} projects")
        typer.echo(f"  by status: {_listed(statuses)}")
        typer.echo(f"  by environment: {_listed(totals.by_environment)}")
        typer.echo(f"  created from {totals.first.isoformat()} to {totals.last.isoformat()}")


def _warn(imported: "Imported", settings: "Settings") -> None:
    """Say what retention keeps out of the figures, and how to have it counted."""
    totals = imported.totals
    if totals and totals.without_hours:
        typer.echo(
            f"  {totals.without_hours} are in daily figures only: finer ones are kept for"
            f" {settings.metrics_retention_days} days (METRICS_RETENTION_DAYS)"
        )
    if totals and totals.without_days:
        hint = "" if imported.moved_days else "; --shift-to-now makes an old set recent"
        typer.echo(
            f"  {totals.without_days} are in no figure, and the worker will remove them:"
            f" deployments are kept for {settings.daily_retention_days} days"
            f" (DAILY_RETENTION_DAYS, 0 keeps all){hint}"
        )


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{name or 'none'} {count}" for name, count in counts.items())
