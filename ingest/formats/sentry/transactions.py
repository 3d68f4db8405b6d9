"""A transaction of an HTTP server as an event of an API call."""

import re
from collections.abc import Mapping
from typing import Any

from ingest.events import MAX_ACTOR_LENGTH
from ingest.formats.sentry.times import read_time

SERVER_OPERATION = "http.server"
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"})
MAX_SECONDS = 366 * 86_400

_WITH_METHOD = re.compile(r"([A-Z]{3,7}) (\S.*)", re.DOTALL)
# Numbers, UUIDs and long hexadecimal texts.
_IDENTIFIER = re.compile(r"\d+|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|[0-9a-fA-F]{16,}")
# The status of a trace where the response's is not given.
_STATUS_BY_WORD = {
    "ok": 200,
    "invalid_argument": 400,
    "failed_precondition": 400,
    "out_of_range": 400,
    "unauthenticated": 401,
    "permission_denied": 403,
    "not_found": 404,
    "already_exists": 409,
    "aborted": 409,
    "resource_exhausted": 429,
    "cancelled": 499,
    "internal_error": 500,
    "unknown": 500,
    "unknown_error": 500,
    "data_loss": 500,
    "unimplemented": 501,
    "unavailable": 503,
    "deadline_exceeded": 504,
}


def api_call(event: Mapping[str, Any]) -> dict[str, Any] | None:
    """The fields of the API call; None if the transaction is no request that a server answered."""
    trace = _part(event, "contexts", "trace")
    if trace.get("op") != SERVER_OPERATION:
        return None
    method, endpoint = _method_and_endpoint(event)
    status = _status(event, trace)
    if method is None or not endpoint or status is None:
        return None
    if _part(event, "transaction_info").get("source") == "url":
        endpoint = _without_ids(endpoint)
    call: dict[str, Any] = {"endpoint": endpoint, "method": method, "status": status}
    started, ended = (read_time(event.get(name)) for name in ("start_timestamp", "timestamp"))
    if started and ended and 0 <= (seconds := (ended - started).total_seconds()) <= MAX_SECONDS:
        call["durationMs"] = round(seconds * 1000, 3)
    if environment := event.get("environment"):
        call["environment"] = environment
    user = _part(event, "user").get("id")
    if isinstance(user, str) and user.isprintable() and len(user) <= MAX_ACTOR_LENGTH:
        call["user"] = user
    return call


def _method_and_endpoint(event: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """The method and the name of the transaction, which begins with the method in some SDKs."""
    name = event.get("transaction")
    name = " ".join(name.split()) if isinstance(name, str) else ""
    given = _part(event, "request").get("method")
    method = given.upper() if isinstance(given, str) else None
    match = _WITH_METHOD.fullmatch(name)
    if match and match[1] in METHODS:
        return method or match[1], match[2][:200]
    return (method if method in METHODS else None), name[:200] or None


def _without_ids(path: str) -> str:
    """A path as the template of its route, where the SDK does not know the route."""
    path = path.partition("?")[0].partition("#")[0]
    return "/".join("{id}" if _IDENTIFIER.fullmatch(part) else part for part in path.split("/"))


def _status(event: Mapping[str, Any], trace: Mapping[str, Any]) -> int | None:
    data = trace.get("data")
    data = data if isinstance(data, dict) else {}
    tags = event.get("tags")
    tags = tags if isinstance(tags, dict) else {}
    for given in (
        _part(event, "contexts", "response").get("status_code"),
        data.get("http.response.status_code"),
        data.get("http.status_code"),
        tags.get("http.status_code"),
    ):
        text = str(given)
        if len(text) == 3 and text.isascii() and text.isdigit() and 100 <= int(text) <= 599:
            return int(text)
    word = trace.get("status")
    return _STATUS_BY_WORD.get(word) if isinstance(word, str) else None


def _part(value: Mapping[str, Any], *names: str) -> Mapping[str, Any]:
    """The object inside the event; empty if there is none."""
    for name in names:
        inner = value.get(name)
        value = inner if isinstance(inner, dict) else {}
    return value
