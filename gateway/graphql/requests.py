"""Reads and parses GraphQL requests: HTTP's body or query string, or a WebSocket's payload."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from starlette.requests import Request

from gateway.http.delivery import plain_body
from gateway.http.errors import UnsupportedMediaType
from gateway.http.exchange import Exchange
from gateway.http.negotiation import is_json
from storage.errors import InvalidInput

MAX_VARIABLES_DEPTH = 32
_NUL_ESCAPE = re.compile(r"\\u(0000|\{0+\})")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_NUL_REFUSAL = "Text must not contain the NUL character."


@dataclass(frozen=True, slots=True)
class GraphQLRequest:
    """A parsed request. It has a `query`, or the `digest` of one (SHA-256 in hex), or both."""

    query: str | None
    operation_name: str | None
    variables: dict[str, Any] | None
    extensions: dict[str, Any] | None
    digest: str | None = None

    @property
    def wants_cost(self) -> bool:
        """Whether `extensions.cost` asks for the estimated cost."""
        return bool((self.extensions or {}).get("cost"))

    @property
    def dry_run(self) -> bool:
        """Whether it asks for the estimated cost only, without execution."""
        cost = (self.extensions or {}).get("cost")
        return isinstance(cost, dict) and cost.get("dryRun") is True


async def read(request: Request) -> GraphQLRequest:
    """The GraphQL request in an HTTP request; raises InvalidInput."""
    if request.method == "GET":
        try:
            return _from_query_string(request.query_params)
        except UnicodeDecodeError:
            raise InvalidInput("The query string is not UTF-8.") from None
    if not is_json(request.headers.get("content-type")):
        raise UnsupportedMediaType("Send the request as application/json in UTF-8.")
    limit_bytes = Exchange.of(request.scope).route.body_bytes
    return _from_body(plain_body(request.headers, await request.body(), limit_bytes))


def _from_body(body: bytes) -> GraphQLRequest:
    try:
        parameters = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise InvalidInput(f"The body is not JSON: {error}.") from None
    if isinstance(parameters, list):
        raise InvalidInput("Batching is not supported: send one operation per request.")
    if not isinstance(parameters, dict):
        raise InvalidInput("The body must be a JSON object with a member named query.")
    return from_parameters(parameters)


def _from_query_string(parameters: Mapping[str, str]) -> GraphQLRequest:
    values: dict[str, Any] = dict(parameters)
    for name in ("variables", "extensions"):
        if text := values.pop(name, None):
            try:
                values[name] = orjson.loads(text)
            except orjson.JSONDecodeError as error:
                raise InvalidInput(f"The parameter {name} is not JSON: {error}.") from None
    return from_parameters(values)


def from_parameters(parameters: Mapping[str, Any]) -> GraphQLRequest:
    """The request with these parameters; raises InvalidInput where one is wrong."""
    extensions = _object(parameters, "extensions")
    query = parameters.get("query")
    digest = _digest(parameters, extensions)
    if query is None and digest is None:
        raise InvalidInput("A text named query is required.", path="query")
    if query is not None and (not isinstance(query, str) or not query.strip()):
        raise InvalidInput("query must be a text that is not empty.", path="query")
    name = parameters.get("operationName")
    if name is not None and not isinstance(name, str):
        raise InvalidInput("operationName must be a text.", path="operationName")
    variables = _object(parameters, "variables")
    if variables:
        _check_values(variables)
    if query is not None and ("\0" in query or _NUL_ESCAPE.search(query)):
        raise InvalidInput(_NUL_REFUSAL, path="query")
    return GraphQLRequest(query, name or None, variables, extensions, digest)


def _digest(parameters: Mapping[str, Any], extensions: dict[str, Any] | None) -> str | None:
    """The document's SHA-256 as Apollo's clients send it, or as `documentId`."""
    persisted = (extensions or {}).pop("persistedQuery", None)
    if persisted is None:
        document_id = parameters.get("documentId")
        return None if document_id is None else _hexadecimal(document_id, "documentId")
    path = "extensions.persistedQuery"
    if not isinstance(persisted, dict):
        raise InvalidInput("persistedQuery must be an object.", path=path)
    if persisted.get("version") != 1:
        raise InvalidInput("The version of persistedQuery must be 1.", path=path)
    return _hexadecimal(persisted.get("sha256Hash"), f"{path}.sha256Hash")


def _hexadecimal(value: Any, path: str) -> str:
    digest = value.lower().removeprefix("sha256:") if isinstance(value, str) else ""
    if not _DIGEST.fullmatch(digest):
        raise InvalidInput(
            "The document's SHA-256 is expected, in 64 hexadecimal digits.", path=path
        )
    return digest


def _object(parameters: Mapping[str, Any], name: str) -> dict[str, Any] | None:
    value = parameters.get(name)
    if value is not None and not isinstance(value, dict):
        raise InvalidInput(f"{name} must be an object.", path=name)
    return value


def _check_values(variables: dict[str, Any]) -> None:
    """Raises InvalidInput for deep nesting, and for text that the database cannot hold."""
    level: list[object] = [variables]
    for _depth in range(MAX_VARIABLES_DEPTH + 1):
        nested: list[object] = []
        for item in level:
            if isinstance(item, dict):
                nested.extend(item)
                nested.extend(item.values())
            elif isinstance(item, list):
                nested.extend(item)
            elif isinstance(item, str) and "\x00" in item:
                raise InvalidInput(_NUL_REFUSAL, path="variables")
        if not nested:
            return
        level = nested
    raise InvalidInput(
        f"The variables are nested more than {MAX_VARIABLES_DEPTH} levels deep.", path="variables"
    )
