"""`gateway verdict`: whether a deployment made things worse, for continuous integration."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, NoReturn

import typer

from gateway.cli.asking import NoAnswerError, RefusedError, Token, Url, ask

# By outcome.
EXIT_CODES = {"PASS": 0, "FAIL": 1, "INCONCLUSIVE": 2, "PENDING": 2}
# Between two questions, and the time for which a gateway that cannot be reached is asked again.
PAUSE = timedelta(seconds=15)
PATIENCE = timedelta(minutes=5)

DOCUMENT = """
query Verdict($id: ID!, $window: Duration) {
  deploymentVerdict(id: $id, window: $window) {
    outcome message range { end } comparisons { outcome message }
  }
}
"""


def verdict(
    deployment: Annotated[
        str, typer.Argument(help="The deployment's UUID, or its global id.", show_default=False)
    ],
    *,
    url: Url = "http://localhost:8000",
    token: Token = "",
    window: Annotated[
        str, typer.Option(help="The time after the deployment: PT5M to PT24H.")
    ] = "PT30M",
    wait: Annotated[bool, typer.Option("--wait", help="Wait until the window has passed.")] = False,
) -> None:
    """Say whether errors, function failures, API errors or latency became worse after a deployment.

    Exits with 0 if it passed, 1 if it failed, and 2 if the data cannot tell or the verdict is not
    due yet, and also if there is no answer, for example with a wrong token.

    Example: gateway verdict 7c9e6679-7425-40de-944b-e07fc1f90ae7 --wait
    """
    found = _found(url, token, {"id": deployment, "window": window}, wait=wait)
    for line in lines(found):
        typer.echo(line)
    raise typer.Exit(EXIT_CODES[found["outcome"]])


def _found(url: str, token: str, variables: dict[str, str], *, wait: bool) -> dict[str, Any]:
    """Asks for the verdict; with `wait`, until it is due."""
    give_up = datetime.now(UTC) + PATIENCE
    while True:
        try:
            found = _asked(url, token, variables)
        except NoAnswerError as error:
            if not wait or datetime.now(UTC) > give_up:
                _refuse(str(error))
        else:
            if found["outcome"] != "PENDING" or not wait:
                return found
            give_up = datetime.now(UTC) + PATIENCE
        time.sleep(PAUSE.total_seconds())


def _asked(url: str, token: str, variables: dict[str, str]) -> dict[str, Any]:
    """Returns the verdict; raises NoAnswerError if that may succeed later."""
    try:
        found: dict[str, Any] | None = ask(url, token, DOCUMENT, variables).get("deploymentVerdict")
    except RefusedError as error:
        _refuse(str(error))
    if found is None:
        _refuse("There is no such deployment, or the token may not see it.")
    return found


def lines(found: dict[str, Any]) -> list[str]:
    """Returns the verdict and its comparisons as lines of text."""
    evidence = [
        f"  {each['outcome'].lower():12}  {each['message']}" for each in found["comparisons"]
    ]
    if evidence:
        return [found["outcome"], *evidence]
    return [f"{found['outcome']}: {found['message']}"]


def _refuse(message: str) -> NoReturn:
    typer.echo(message, err=True)
    raise typer.Exit(EXIT_CODES["INCONCLUSIVE"])
