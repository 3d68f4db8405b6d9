"""`gateway import`: real data sets from files."""

from pathlib import Path
from typing import Annotated

import typer

FOLDER = Path("tests/data")


def import_(
    names: Annotated[
        list[str] | None, typer.Argument(help="Which sets; none lists what there is.")
    ] = None,
    source: Annotated[
        Path, typer.Option("--from", help="The folder that holds the sets' files.")
    ] = FOLDER,
    shift_to_now: Annotated[
        bool, typer.Option("--shift-to-now", help="Move times so that the newest event is now.")
    ] = False,
) -> None:
    """Import real data sets: deployments, templates, networks.

    They go through the same writer as events over HTTP, whatever their age. An import that was
    interrupted goes on where it stopped; one that is repeated changes nothing. Needs DATABASE_URL.

    Example: gateway import govuk-deployments --from some/folder --shift-to-now
    """
    from ingest.importers import IMPORTERS

    if not names:
        for importer in IMPORTERS.values():
            typer.echo(f"{importer.name:<24} {importer.description}")
        return
    unknown = [name for name in names if name not in IMPORTERS]
    if unknown:
        raise typer.BadParameter(f"no such set: {', '.join(unknown)}", param_hint="NAMES")
    for name in names:
        _import_one(name, source, shift_to_now)


def _import_one(name: str, folder: Path, shift_to_now: bool) -> None:
    import asyncio
    from datetime import UTC, datetime

    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    from gateway.settings import load_settings, require
    from ingest.importers import IMPORTERS, load

    settings = load_settings(signs=False)
    require(settings, "database_url")
    importer = IMPORTERS[name]
    columns = ("{task.description}", BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns) as bar:
        task = bar.add_task(name)
        imported = asyncio.run(
            load(
                importer,
                folder / importer.default_source,
                settings.database_url,
                now=datetime.now(UTC),
                shift_to_now=shift_to_now,
                progress=lambda done, total: bar.update(task, completed=done, total=total),
            )
        )
    typer.echo(
        f"{name}: {imported.accepted} accepted, {imported.duplicates} already there,"
        f" {imported.rejected} rejected"
    )
