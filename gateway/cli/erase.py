"""`gateway erase`: erase a user of a project."""

import asyncio
from typing import Annotated

import typer

from gateway.cli.connection import database_settings, fail


def erase(
    project: Annotated[str, typer.Option("--project", help="The project's slug.")],
    user: Annotated[str, typer.Option("--user", help="The user's id, as events give it.")],
) -> None:
    """Replace what names a user in a project's rows and in ARCHIVE_DIR; counts stay the same.

    Do it again if it is interrupted.

    Example: gateway erase --project shop --user customer-8812
    """
    from gateway.cli.auditing import audited
    from ingest.errors.people import person_of
    from storage.connections.database import Database
    from storage.dictionaries import Dictionaries
    from storage.keeping import erasure

    settings = database_settings()

    async def run() -> erasure.Report:
        database = await Database.open(settings.database_url, pool_size=1)
        try:
            project_id = (await Dictionaries(database).project_ids([project])).get(project)
            if project_id is None:
                fail(f"There is no project {project!r}.")
            person = person_of(project_id, project, user)
            return await erasure.erase(database, person, settings.archive_dir)
        finally:
            await database.close()

    with audited(settings.database_url, "erase", project):
        report = asyncio.run(run())
    for kind, counts in (("rows", report.rows), ("lines", report.lines)):
        for name, count in sorted(counts.items()):
            typer.echo(f"{name}: {count:,} {kind}")
    for name, count in sorted(report.kept_in_names.items()):
        typer.echo(f"{name}: {count:,} names still have the id in them")
    if not (report.rows or report.lines or report.kept_in_names):
        typer.echo("Nothing names this user.")
