"""Sends a message by one request, and says what an answer means."""

from collections.abc import Mapping
from typing import Any

import httpx
import orjson

from access.destinations import DestinationError
from alerts.delivery.channel import ChannelKind, DeliveryError, Outside

CLIENT = "deployment-analytics-gateway/1"
# Answers below 500 after which the same request may be taken later.
PASSING = (408, 425, 429)


async def post(
    channel: ChannelKind,
    outside: Outside,
    url: str,
    document: Any,
    headers: Mapping[str, str] | None = None,
) -> str:
    """Sends a document as JSON, or bytes as they are; returns what the receiver answered.

    Raises DeliveryError.
    """
    body = document if isinstance(document, bytes) else orjson.dumps(document, default=str)
    given = {"user-agent": CLIENT, "content-type": "application/json", **(headers or {})}
    try:
        answer = await outside.outgoing.post(url, given, body)
    except DestinationError as error:
        raise DeliveryError(f"Refused: {error}", is_final=True) from error
    except TimeoutError as error:
        seconds = outside.outgoing.timeout_seconds
        raise DeliveryError(f"No answer within {seconds:g} s") from error
    except (OSError, httpx.HTTPError, httpx.InvalidURL) as error:
        raise DeliveryError(f"No answer ({type(error).__name__})") from error
    said = channel.masked(answer.text)
    detail = f"{answer.status} {said}".strip()
    if 200 <= answer.status < 300:
        return detail
    if 300 <= answer.status < 400:
        detail = f"{answer.status}: redirects are not followed"
    raise DeliveryError(
        detail,
        is_final=answer.status < 500 and answer.status not in PASSING,
        retry_after_seconds=answer.retry_after_seconds,
    )
