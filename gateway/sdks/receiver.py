"""POST /api/{project}/envelope/ and /store/: events of Sentry's SDKs."""

import base64
import binascii
import math
import re
from collections.abc import Callable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

from access.budgets import Budgets
from access.drops import Category, Drops, Reason
from access.limits import Budget
from access.project_keys import ProjectKeys, viewer_of
from gateway.http.charging import charge
from gateway.http.errors import error_headers, json_response
from gateway.http.exchange import Exchange
from gateway.rest.guard import RequestGuard
from gateway.sdks.bodies import SentBody
from gateway.sdks.credentials import key_of_request
from ingest.bodies import decoded
from ingest.formats.sentry.envelope import Envelope, Item, read_envelope
from ingest.formats.sentry.items import MAX_EVENT_BYTES
from ingest.sdk_intake import EventsRefused, SdkIntake
from storage.admin.project_keys import ProjectKey
from storage.errors import (
    Forbidden,
    GatewayError,
    InvalidInput,
    LimitExceeded,
    RateLimited,
    TooLarge,
    Unauthenticated,
)

# The categories, in SDKs' words, to which a refusal of events applies; none stands for all.
EVENT_CATEGORIES = "error;transaction"
_KIB = 1024
_PROJECT_ID = re.compile(r"[1-9][0-9]{0,17}", re.ASCII)
_NOT_PRINTABLE = re.compile(r"[^ -~]")

Read = Callable[[bytes], Envelope]


@dataclass(frozen=True, slots=True)
class SentryReceiver:
    """The handlers of both routes."""

    keys: ProjectKeys
    intake: SdkIntake
    drops: Drops
    budgets: Budgets
    guard: RequestGuard

    async def receive_envelope(self, request: Request) -> Response:
        return await self._receive(request, read_envelope)

    async def receive_event(self, request: Request) -> Response:
        """Takes one event as the body, as SDKs did before there were envelopes."""
        return await self._receive(request, _read_event)

    async def _receive(self, request: Request, read: Read) -> Response:
        exchange = Exchange.of(request.scope)
        project_id = _project_id(request)
        body = SentBody(request)
        public_key = key_of_request(request.headers, request.query_params) or await body.key()
        if public_key is None or not self.keys.knows(public_key):
            # A look-up has no other payer yet.
            await charge(exchange, self.budgets, {Budget.ADDRESS: 1})
        if public_key is None:
            raise Unauthenticated("The public key is missing: send it in X-Sentry-Auth.")
        key = await self.keys.authenticate(public_key, project_id)
        exchange.viewer, exchange.spendings = viewer_of(key), None  # from here on the key pays
        self._count(exchange, key)
        _check_origin(request, key)
        envelope = await self._envelope(exchange, key, body, read)
        exchange.events = len(envelope.items)
        event_id = await self.intake.receive(envelope, key)
        return json_response({} if event_id is None else {"id": event_id.hex}, 200)

    def _count(self, exchange: Exchange, key: ProjectKey) -> None:
        """Counts the request: SDKs send one for each event, so a key's budget allows as many."""
        try:
            self.guard.count(exchange, at_least=key.events_per_minute)
        except RateLimited:
            self.drops.add(key, Category.ENVELOPE, Reason.KEY_BUDGET)
            raise

    async def _envelope(
        self, exchange: Exchange, key: ProjectKey, body: SentBody, read: Read
    ) -> Envelope:
        """Reads the body; counts one that is refused."""
        try:
            size: dict[str, int] = {Budget.KIBIBYTES: -(-await body.size_bytes() // _KIB)}
            await charge(exchange, self.budgets, size)
            return read(await body.decoded())
        except (RateLimited, LimitExceeded, InvalidInput) as error:
            self.drops.add(key, Category.ENVELOPE, _reason(error))
            raise


def _reason(error: GatewayError) -> Reason:
    """Why a whole envelope is dropped."""
    if isinstance(error, RateLimited):
        return Reason.SIZE_BUDGET
    if isinstance(error, TooLarge):
        return Reason.TOO_LARGE
    return Reason.TOO_MANY if isinstance(error, LimitExceeded) else Reason.UNREADABLE


def _project_id(request: Request) -> int:
    text: str = request.path_params["project"]
    if not _PROJECT_ID.fullmatch(text):
        raise InvalidInput("The project in the address must be its number, as in the DSN.")
    return int(text)


def _check_origin(request: Request, key: ProjectKey) -> None:
    """Raises Forbidden for a page of an origin that the key does not allow."""
    origin = request.headers.get("origin")
    allowed = key.origins
    if origin is not None and allowed and origin.lower() not in allowed:
        raise Forbidden("The key does not take events of pages of this origin.")


def _read_event(body: bytes) -> Envelope:
    """An envelope of one event; the oldest SDKs send it as base64 of a zlib stream."""
    text = body.strip()
    if text and not text.startswith(b"{"):
        try:
            text = decoded(base64.b64decode(text, validate=True), "deflate", MAX_EVENT_BYTES)
        except binascii.Error:
            raise InvalidInput("The event is not a JSON object.") from None
    return Envelope({}, (Item("event", text),))


def sentry_error(error: GatewayError, _scope: Scope, request_id: str) -> Response:
    """An error response as SDKs read it: the reason is in `X-Sentry-Error`."""
    headers = error_headers(error) | {"x-sentry-error": _NOT_PRINTABLE.sub("?", error.message)}
    if isinstance(error, Unauthenticated):
        headers["www-authenticate"] = "Sentry"
    if isinstance(error, RateLimited):
        categories = EVENT_CATEGORIES if isinstance(error, EventsRefused) else ""
        seconds = math.ceil(error.retry_after_seconds)
        headers["x-sentry-rate-limits"] = f"{seconds}:{categories}:key"
    body = {"detail": error.message, "code": error.code, "requestId": request_id}
    return json_response(body, error.http_status, headers=headers)
