"""Asks a gateway over HTTP, as any client does."""

from __future__ import annotations

from typing import Annotated, Any

import typer

Url = Annotated[str, typer.Option(help="The gateway's address.", envvar="GATEWAY_URL")]
Token = Annotated[
    str,
    typer.Option(
        help="A token that may read the project.", envvar="GATEWAY_TOKEN", show_default=False
    ),
]


class NoAnswerError(Exception):
    """The gateway could not be reached, or is not ready."""


class RefusedError(Exception):
    """The gateway does not answer this, now or later."""


def ask(url: str, token: str, document: str, variables: dict[str, Any]) -> dict[str, Any]:
    """Returns the data of an answer; raises NoAnswerError if that may succeed later."""
    import httpx

    headers = {"Authorization": f"Bearer {token}"} if token else {}
    body = {"query": document, "variables": variables}
    try:
        response = httpx.post(f"{url.rstrip('/')}/graphql", json=body, headers=headers, timeout=30)
    except httpx.InvalidURL as error:
        raise RefusedError(f"{url!r} is no address: {error}.") from None
    except httpx.HTTPError as error:
        raise NoAnswerError(f"No answer from {url}: {error}.") from None
    if response.status_code in {429, 502, 503, 504}:
        raise NoAnswerError(f"{url} answered with status {response.status_code}.")
    try:
        answer = response.json()
        errors, data = answer.get("errors"), answer.get("data") or {}
    except (ValueError, AttributeError):
        message = f"{url} answered with status {response.status_code}, and not as a gateway does."
        raise RefusedError(message) from None
    if errors:
        raise RefusedError("; ".join(str(error.get("message")) for error in errors))
    found: dict[str, Any] = data
    return found
