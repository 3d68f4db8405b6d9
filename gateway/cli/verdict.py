"""`gateway verdict`: whether a deployment made things worse, for continuous integration."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, NoReturn

import typer

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


class NoAnswerError(Exception):
    """The gateway could not be reached, or is not ready."""


def verdict(
    deployment: Annotated[
        str, typer.Argument(help="The deployment's UUID, or its global id.", show_default=False)
    ],
    *,
    url: Annotated[
        str, typer.Option(help="The gateway's address.", envvar="GATEWAY_URL")
    ] = "http://localhost:8000",
    token: Annotated[
        str,
        typer.Option(
            help="A token that may read the project.", envvar="GATEWAY_TOKEN", show_default=False
        ),
    ] = "",
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
            found = ask(url, token, variables)
        except NoAnswerError as error:
            if not wait or datetime.now(UTC) > give_up:
                _refuse(str(error))
        else:
            if found["outcome"] != "PENDING" or not wait:
                return found
            give_up = datetime.now(UTC) + PATIENCE
        time.sleep(PAUSE.total_seconds())


def ask(url: str, token: str, variables: dict[str, str]) -> dict[str, Any]:
    """Returns the verdict; raises NoAnswerError if that may succeed later."""
    import httpx

    headers = {"Authorization": f"Bearer {token}"} if token else {}
    body = {"query": DOCUMENT, "variables": variables}
    try:
        response = httpx.post(f"{url.rstrip('/')}/graphql", json=body, headers=headers, timeout=30)
    except httpx.InvalidURL as error:
        _refuse(f"{url!r} is no address: {error}.")
    except httpx.HTTPError as error:
        raise NoAnswerError(f"No answer from {url}: {error}.") from None
    if response.status_code in {429, 502, 503, 504}:
        raise NoAnswerError(f"{url} answered with status {response.status_code}.")
    return _verdict_in(response, url)


def _verdict_in(response: Any, url: str) -> dict[str, Any]:
    try:
        answer = response.json()
        errors, data = answer.get("errors"), answer.get("data") or {}
    except (ValueError, AttributeError):
        _refuse(f"{url} answered with status {response.status_code}, and not as a gateway does.")
    if errors:
        _refuse("; ".join(str(error.get("message")) for error in errors))
    found: dict[str, Any] | None = data.get("deploymentVerdict")
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
