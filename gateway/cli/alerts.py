"""`gateway alerts`: rules, channels and silences as a file, which can live in git."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.cli.connection import fail, with_connection

if TYPE_CHECKING:
    from access.sealing import Seals
    from gateway.cli.alert_files import AlertFile, Fault, Lines
    from gateway.cli.alert_plans import Plan, Step
    from storage.alerts.rules import Refusal

app = typer.Typer(
    help="Apply, compare and export alerts, notification channels and silences as YAML.",
    no_args_is_help=True,
)

File = Annotated[Path, typer.Argument(help="The file.", exists=True, dir_okay=False)]
Prune = Annotated[
    bool,
    typer.Option(
        "--prune", help="Remove what the projects of the file have and the file does not."
    ),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say what would change.")]
Projects = Annotated[
    list[str] | None,
    typer.Option("--project", help="A project's slug; may be repeated. All by default."),
]


@app.command()
def apply(file: File, prune: Prune = False, dry_run: DryRun = False) -> None:
    """Make everything as the file says, or nothing if a part of it cannot be.

    A file that was applied already changes nothing. Secrets are read from the environment and
    sealed under JWT_SECRET, which must be that of `gateway serve`.

    Example: gateway alerts apply alerts.yaml --prune
    """
    _run(file, prune=prune, changes=not dry_run)


@app.command()
def diff(file: File, prune: Prune = False) -> None:
    """Say what `apply` would change.

    Secrets are compared with the stored ones, so it needs what `apply` needs: JWT_SECRET and all
    variables of the environment that the file names.

    Example: gateway alerts diff alerts.yaml
    """
    _run(file, prune=prune, changes=False)


@app.command()
def export(project: Projects = None) -> None:
    """Print what is stored as a file, with references to the environment in place of secrets.

    Example: gateway alerts export --project shop > alerts.yaml
    """
    from gateway.cli.alert_files import write

    typer.echo(write(with_connection(lambda connection: _exported(connection, project))), nl=False)


def _run(path: Path, *, prune: bool, changes: bool) -> None:
    from access.destinations import Destinations
    from access.sealing import Seals
    from gateway.cli.alert_files import FaultyFileError, read
    from gateway.cli.connection import database_settings

    try:
        settings = database_settings(or_running=True)
        local = Destinations.of(settings.alert_local_hosts).local
        seals = Seals(settings.jwt_secrets)
        file, lines = read(path.read_text(encoding="utf-8"), local)

        async def work(connection: Any) -> list[str]:
            async with connection.transaction():
                plans = [
                    plan async for plan in _plans(connection, file, lines, prune=prune, seals=seals)
                ]
                return await _applied(connection, plans, lines, changes=changes)

        told = with_connection(work, settings.database_url)
    except FaultyFileError as error:
        fail("\n".join(f"{path}: {fault}" for fault in error.faults))
    except UnicodeDecodeError:
        fail(f"{path}: it is no text in UTF-8.")
    for line in told or ["Nothing to change."]:
        typer.echo(line)


async def _applied(
    connection: Any, plans: Sequence[Plan], lines: Lines, *, changes: bool
) -> list[str]:
    """Makes the changes, or only tells them; raises FaultyFileError before anything is made."""
    from gateway.cli.alert_files import FaultyFileError
    from gateway.cli.auditing import record
    from storage.alerts.changes import publish

    faults = [fault for plan in plans async for fault in _unknown(connection, plan, lines)]
    if faults:
        raise FaultyFileError(faults)
    told, changed = [], []
    for plan in plans:
        whose = "platform" if plan.project_id is None else plan.path[-1]
        for step in plan.steps():
            told.append(f"{whose}: {step.text}")
            changed.append((plan.project_id, step.id))
            if changes and (refusal := await step.run(connection)) is not None:
                raise FaultyFileError([_refused(step, refusal, lines)])
    if changes and changed:
        await record(connection, "alerts.apply", {"changes": told[:50], "number": len(told)})
        await publish(connection, changed)
    return told


def _refused(step: Step, refusal: Refusal, lines: Lines) -> Fault:
    from gateway.cli.alert_files import fault_at

    reason = refusal.replace("_", " ")
    return fault_at(lines, step.path, f"This cannot be done ({reason}): {step.text}.")


async def _plans(
    connection: Any, file: AlertFile, lines: Lines, *, prune: bool, seals: Seals
) -> AsyncIterator[Plan]:
    from datetime import UTC, datetime

    from gateway.cli.alert_files import FaultyFileError, fault_at
    from gateway.cli.alert_plans import Plan
    from gateway.cli.auditing import user
    from storage.alerts import stored
    from storage.dictionaries import find_ids
    from storage.dimensions import PROJECT

    now, by = datetime.now(UTC), f"cli:{user()}"
    ids = await find_ids(connection, PROJECT, list(file.projects))
    if unknown := [slug for slug in file.projects if slug not in ids]:
        faults = [
            fault_at(lines, ("projects", slug), f"There is no project {slug!r}.")
            for slug in unknown
        ]
        raise FaultyFileError(faults)
    for path, slug, section in file.sections():
        project_id = None if slug is None else ids[slug]
        found = await stored.load(connection, project_id, now)
        yield Plan(path, project_id, section, found, prune, by, now, seals)


async def _unknown(connection: Any, plan: Plan, lines: Lines) -> AsyncIterator[Fault]:
    """Faults for too many windows, and for channels and other names that there are not."""
    from alerts.windows import spans_at_most
    from gateway.cli.alert_files import fault_at
    from resolvers.alert_rules import as_stored
    from storage.alerts import channels
    from storage.dictionaries import find_ids
    from storage.dimensions import DIMENSIONS

    spans, most = plan.spans(), spans_at_most(plan.project_id)
    # Who has had more than that keeps them, and may change everything else.
    if len(spans) > most and not spans <= plan.spans_before():
        compared = f"{len(spans)} windows with what they are compared with"
        message = f"The rules have {compared}: {most} at most."
        yield fault_at(lines, (*plan.path, "rules"), message)
    own = {channel.name for channel in plan.section.channels}
    for place, rule in enumerate(plan.section.rules):
        path = (*plan.path, "rules", place)
        others = None if plan.prune else plan.project_id
        known = own | await channels.names(connection, others, rule.channels)
        for name in rule.channels:
            if name not in known:
                yield fault_at(lines, (*path, "channels"), f"There is no channel {name!r}.")
        for dimension, names in as_stored(rule).trigger.filter.items():
            if not DIMENSIONS[dimension].interned:
                ids = await find_ids(connection, DIMENSIONS[dimension], list(names))
                for name in names:
                    if name not in ids:
                        message = f"No {dimension} is called {name!r}."
                        yield fault_at(lines, (*path, "trigger", "filter", dimension), message)


async def _exported(connection: Any, slugs: list[str] | None) -> dict[str, Any]:
    from datetime import UTC, datetime

    from gateway.cli.alert_plans import exported, unreadable
    from storage.alerts import stored
    from storage.dictionaries import find_ids
    from storage.dimensions import PROJECT

    now = datetime.now(UTC)

    async def section(project_id: int | None) -> dict[str, Any]:
        found = await stored.load(connection, project_id, now)
        for message in unreadable(found):
            typer.echo(message, err=True)
        return exported(found)

    async with connection.transaction():
        found = await find_ids(connection, PROJECT, slugs)
        if unknown := [slug for slug in slugs or () if slug not in found]:
            fail(f"There is no project {unknown[0]!r}.")
        document: dict[str, Any] = {}
        if slugs is None:
            document["platform"] = await section(None)
        sections = {slug: await section(id) for slug, id in found.items()}
        document["projects"] = {slug: section for slug, section in sections.items() if section}
    return {name: section for name, section in document.items() if section}
