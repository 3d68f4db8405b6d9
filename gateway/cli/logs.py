"""`gateway logs`: search log lines, and follow them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from time import monotonic, sleep
from typing import Annotated, Any

import typer

from gateway.cli.asking import NoAnswerError, RefusedError, Token, Url, ask

LEVELS = ("trace", "debug", "info", "warn", "error", "fatal")
PAGE = 100
PAUSE = timedelta(seconds=2)
# Lines that come late are still followed within this time, among so many of the newest.
FOLLOWED = "PT1M"
FOLLOWED_AT_LEAST = 10 * PAGE
FORGOTTEN_SECONDS = 120.0

DOCUMENT = """
query Logs($filter: LogFilter, $levels: [LogLineLevel!], $search: String, $range: TimeRange,
    $deployment: ID, $traceId: String, $first: Int, $after: String) {
  logLines(filter: $filter, levels: $levels, search: $search, range: $range,
      deployment: $deployment, traceId: $traceId, first: $first, after: $after) {
    nodes { id occurredAt level logger message fields project { slug } }
    pageInfo { hasNextPage endCursor }
  }
}
"""


def _several(about: str) -> Any:
    return typer.Option(help=f"{about}; may be repeated.", show_default=False)


def logs(  # noqa: PLR0913 - the options of the command
    words: Annotated[
        list[str] | None, typer.Argument(help="Words that the lines have.", show_default=False)
    ] = None,
    *,
    project: Annotated[list[str] | None, _several("Only lines of this project")] = None,
    environment: Annotated[list[str] | None, _several("Only of this environment")] = None,
    logger: Annotated[list[str] | None, _several("Only of this logger")] = None,
    function: Annotated[list[str] | None, _several("Only of this function")] = None,
    deployment: Annotated[
        str | None, typer.Option(help="Only of the deployment with this UUID.", show_default=False)
    ] = None,
    trace: Annotated[
        str | None, typer.Option(help="Only of the trace with this id.", show_default=False)
    ] = None,
    level: Annotated[str, typer.Option(help="Only of this level and worse ones.")] = "trace",
    since: Annotated[str, typer.Option(help="How far back, such as PT15M or P1D.")] = "PT1H",
    limit: Annotated[int, typer.Option(help="The most lines to print.", min=1)] = 100,
    follow: Annotated[
        bool, typer.Option("--follow", help="Then print lines as they come.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print each line as JSON.")] = False,
    url: Url = "http://localhost:8000",
    token: Token = "",
) -> None:
    """Search log lines, and print them oldest first.

    Example: gateway logs payment timeout --project shop --level warn --since P1D
    """
    if level.lower() not in LEVELS:
        _refuse(f"There is no level {level!r}: use {', '.join(LEVELS)}.")
    names = {
        "projects": project,
        "environments": environment,
        "loggers": logger,
        "functions": function,
    }
    wanted = {
        "filter": {name: values for name, values in names.items() if values},
        "levels": [each.upper() for each in LEVELS[LEVELS.index(level.lower()) :]],
        "search": " ".join(words or ()) or None,
        "deployment": deployment,
        "traceId": trace,
    }
    try:
        # Read before the others are, so that what comes in between is either printed or new.
        before = _read(url, token, wanted, FOLLOWED, FOLLOWED_AT_LEAST) if follow else []
        lines = _read(url, token, wanted, since, limit)
        _print(lines, as_json)
        if follow:
            _follow(url, token, wanted, before + lines, as_json)
    except (NoAnswerError, RefusedError) as error:
        _refuse(str(error))


def _read(
    url: str, token: str, wanted: dict[str, Any], since: str, limit: int
) -> list[dict[str, Any]]:
    """The newest lines, oldest first."""
    found: list[dict[str, Any]] = []
    page: dict[str, Any] = {"hasNextPage": True, "endCursor": None}
    while page["hasNextPage"] and len(found) < limit:
        more = {"first": min(PAGE, limit - len(found)), "after": page["endCursor"]}
        variables = wanted | {"range": {"last": since}} | more
        answer = ask(url, token, DOCUMENT, variables)["logLines"]
        found += answer["nodes"]
        page = answer["pageInfo"]
    return found[::-1]


def _follow(
    url: str, token: str, wanted: dict[str, Any], known: list[dict[str, Any]], as_json: bool
) -> None:
    """Prints lines that are not known, until it is interrupted."""
    seen = _times(known)
    while True:
        sleep(PAUSE.total_seconds())
        limit = FOLLOWED_AT_LEAST
        lines = _read(url, token, wanted, FOLLOWED, limit)
        while len(lines) == limit and lines[0]["id"] not in seen:  # there may be more before it
            limit *= 2
            lines = _read(url, token, wanted, FOLLOWED, limit)
        _print([line for line in lines if line["id"] not in seen], as_json)
        oldest = monotonic() - FORGOTTEN_SECONDS
        seen = {key: at for key, at in seen.items() if at > oldest} | _times(lines)


def _times(lines: list[dict[str, Any]]) -> dict[str, float]:
    """When each of the lines was last read: now."""
    return dict.fromkeys((line["id"] for line in lines), monotonic())


def _print(lines: list[dict[str, Any]], as_json: bool) -> None:
    for line in lines:
        typer.echo(json.dumps(line, ensure_ascii=False) if as_json else _as_text(line))


def _as_text(line: dict[str, Any]) -> str:
    """The line as loggers write it; line breaks in it stay within it."""
    told = line["message"]
    said = "(text not kept)" if told is None and not line["fields"] else told or ""
    parts = (line["occurredAt"], f"{line['level']:5}", line["project"]["slug"], line["logger"])
    return " ".join((*filter(None, parts), said.replace("\n", "\n  "), *_fields(line))).rstrip()


def _fields(line: dict[str, Any]) -> Iterator[str]:
    for name, value in (line["fields"] or {}).items():
        yield f"{name}={json.dumps(value, ensure_ascii=False)}"


def _refuse(message: str) -> None:
    typer.echo(message, err=True)
    raise typer.Exit(1)
