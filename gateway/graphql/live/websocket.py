"""GraphQL over WebSocket: the protocol graphql-transport-ws, with all its close codes."""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import orjson
import structlog
from starlette.requests import HTTPConnection
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from access.limits import Budget
from access.token_uses import TokenUses
from access.tokens import TokenVerifier
from access.viewers import Viewer
from gateway.admission import admit
from gateway.graphql.asked import charged_if_refused
from gateway.graphql.documents.documents import BadDocument
from gateway.graphql.errors import MASK, extensions_of, refused, refused_with
from gateway.graphql.live.followers import Ended
from gateway.graphql.live.operations import Operations
from gateway.graphql.live.places import CONNECTIONS_AT_MOST
from gateway.graphql.live.protocol import (
    DUPLICATE,
    FORBIDDEN,
    INIT_TIMEOUT,
    INVALID,
    PROTOCOL,
    RESTART,
    SUBPROTOCOL,
    TOO_MANY,
    TOO_SLOW,
    TRY_LATER,
    UNAUTHORIZED,
    Closing,
    id_of,
    operation_of,
    token_of,
)
from gateway.graphql.requests import GraphQLRequest, from_parameters
from gateway.http.errors import InvalidToken
from gateway.http.proxies import budget_address
from gateway.http.requests import address_of, request_id_of, state_of
from gateway.middleware.auditing import note_single
from gateway.middleware.authentication import authenticate
from storage.admin.audit import AuditRecord
from storage.errors import GatewayError, RateLimited

log = structlog.get_logger(component="live")

INIT_SECONDS = 10.0
# How long a client may take to take in a message before it is put out.
SEND_SECONDS = 20.0
# How long the reason may take to get out to one who is put out.
CLOSE_SECONDS = 1.0
# So often a token is looked at again: one that has ended or was taken back ends the connection.
TOKEN_SECONDS = 5.0
MESSAGE_BYTES = 100 * 1024
OPERATIONS_AT_MOST = 50
MESSAGES_AT_MOST = 100
MESSAGES_SECONDS = 10.0

TARGET = "/graphql (WebSocket)"

OnMessage = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class LiveSockets:
    """The ASGI application behind a WebSocket to /graphql."""

    operations: Operations
    verifier: TokenVerifier
    on_connections: Callable[[int], None]
    on_message: OnMessage
    connections: set["_Connection"] = field(default_factory=set)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        state_of(scope)["request_id"] = uuid4().hex
        socket = WebSocket(scope, receive, send)
        if PROTOCOL not in scope.get("subprotocols", ()):
            await socket.accept()
            await socket.close(SUBPROTOCOL, f"Subprotocol not acceptable: speak {PROTOCOL}")
            return
        await socket.accept(PROTOCOL)
        connection = _Connection(self, socket)
        try:
            await connection.run()
        except Closing as closing:
            with suppress(RuntimeError, WebSocketDisconnect, TimeoutError):
                async with asyncio.timeout(CLOSE_SECONDS):
                    await socket.close(closing.code, closing.reason)
        except WebSocketDisconnect:
            pass
        finally:
            await connection.end()

    def enter(self, connection: "_Connection", viewer: Viewer) -> None:
        if not self.operations.places.enter(viewer.key):
            raise Closing(TOO_MANY, f"At most {CONNECTIONS_AT_MOST} connections at once")
        self.connections.add(connection)
        self.on_connections(len(self.connections))

    def leave(self, connection: "_Connection", viewer: Viewer) -> None:
        self.operations.places.leave(viewer.key)
        self.connections.discard(connection)
        self.on_connections(len(self.connections))


class _Connection:
    """One client: its viewer once it has told who it is, and its operations."""

    def __init__(self, sockets: LiveSockets, socket: WebSocket) -> None:
        self._sockets = sockets
        self._socket = socket
        self._viewer: Viewer | None = None
        self._token = ""
        self._operations: dict[str, asyncio.Task[None]] = {}
        self._watch: asyncio.Task[None] | None = None
        self._sending = asyncio.Lock()
        self._times: deque[float] = deque(maxlen=MESSAGES_AT_MOST)
        self._closing: asyncio.Future[Closing] = asyncio.get_running_loop().create_future()

    async def run(self) -> None:
        receiving = asyncio.create_task(self._receive())
        try:
            either: set[asyncio.Future[Any]] = {receiving, self._closing}
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if self._closing.done():
                raise self._closing.result()
            receiving.result()
        finally:
            receiving.cancel()
            with suppress(asyncio.CancelledError, Closing, WebSocketDisconnect):
                await receiving

    async def end(self) -> None:
        tasks = [*self._operations.values(), *([self._watch] if self._watch else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._viewer is not None:
            self._sockets.leave(self, self._viewer)
            log.info("live_connection_closed", subject=self._viewer.subject)

    async def _receive(self) -> None:
        try:
            async with asyncio.timeout(INIT_SECONDS):
                while self._viewer is None:
                    await self._handle(await self._next())
        except TimeoutError:
            raise Closing(INIT_TIMEOUT, "Connection initialisation timeout") from None
        while True:
            await self._handle(await self._next())

    async def _next(self) -> Mapping[str, Any]:
        received = await self._socket.receive()
        if received["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(received.get("code", 1000))
        now = asyncio.get_running_loop().time()
        if len(self._times) == MESSAGES_AT_MOST and now - self._times[0] < MESSAGES_SECONDS:
            raise Closing(TOO_MANY, "Too many messages")
        self._times.append(now)
        text = received.get("text")
        if text is None or len(text.encode()) > MESSAGE_BYTES:
            raise Closing(INVALID, "Messages are texts of at most 100 KiB")
        try:
            message = orjson.loads(text)
        except orjson.JSONDecodeError:
            raise Closing(INVALID, "The message is not JSON") from None
        if not isinstance(message, dict) or not isinstance(message.get("type"), str):
            raise Closing(INVALID, "A message is an object with a type")
        return message

    async def _handle(self, message: Mapping[str, Any]) -> None:
        kind = message["type"]
        self._sockets.on_message(kind)
        payload = message.get("payload")
        if payload is not None and not isinstance(payload, dict):
            raise Closing(INVALID, "A payload is an object")
        if kind == "ping":
            answer = {"type": "pong"} if payload is None else {"type": "pong", "payload": payload}
            await self._send(orjson.dumps(answer))
        elif kind == "connection_init":
            await self._initialise(payload or {})
        elif kind == "subscribe":
            self._subscribe(id_of(message), operation_of(payload))
        elif kind == "complete":
            if task := self._operations.pop(id_of(message), None):
                task.cancel()
        elif kind != "pong":
            raise Closing(INVALID, f"There are no messages of type {kind[:50]!r}")

    async def _initialise(self, payload: Mapping[str, Any]) -> None:
        if self._token:
            raise Closing(TOO_MANY, "Too many initialisation requests")
        try:
            self._token = token_of(payload, self._socket.headers.get("authorization"))
            viewer = await self._authenticate()
        except Closing as closing:
            if closing.code == FORBIDDEN:
                await self._count_stranger(closing)
            raise
        self._sockets.enter(self, viewer)
        self._viewer = viewer
        self._note(viewer)
        self._watch = asyncio.create_task(self._watch_token(), name="watch-token")
        await self._send(b'{"type":"connection_ack"}')

    async def _authenticate(self) -> Viewer:
        try:
            return await authenticate(self._socket.app, self._sockets.verifier, self._token)
        except InvalidToken as error:
            raise Closing(FORBIDDEN, f"Forbidden: {error.message}") from None
        except GatewayError as error:
            raise Closing(TRY_LATER, error.message) from None

    async def _count_stranger(self, closing: Closing) -> None:
        """Guesses are counted and noted as over HTTP."""
        address = budget_address(address_of(self._socket))
        uses: TokenUses | None = getattr(self._socket.app.state, "token_uses", None)
        if uses is not None:
            uses.refused(
                AuditRecord(
                    subject="",
                    action="token.refused",
                    outcome="UNAUTHENTICATED",
                    target=TARGET,
                    request_id=self._request_id,
                    address=address,
                    details={"reason": closing.reason},
                )
            )
        try:
            await admit(self._socket, None, {Budget.ADDRESS: 1})
        except RateLimited as error:
            raise Closing(TOO_MANY, error.message) from None

    async def _watch_token(self) -> None:
        """A viewer who may no longer ask is told nothing more."""
        while True:
            await asyncio.sleep(TOKEN_SECONDS)
            try:
                await self._authenticate()
            except Closing as closing:
                self._close(closing)

    def _subscribe(self, id: str, payload: Mapping[str, Any]) -> None:
        if self._viewer is None:
            raise Closing(UNAUTHORIZED, "Unauthorized")
        if id in self._operations:
            raise Closing(DUPLICATE, f"Subscriber for {id} already exists")
        if len(self._operations) >= OPERATIONS_AT_MOST:
            raise Closing(TOO_MANY, f"At most {OPERATIONS_AT_MOST} operations at once")
        task = asyncio.create_task(self._operate(self._viewer, id, payload), name="operation")
        self._operations[id] = task

    async def _operate(self, viewer: Viewer, id: str, payload: Mapping[str, Any]) -> None:
        """Tell what becomes of an operation. Whatever goes wrong, the others go on."""
        name = orjson.dumps(id)
        # Each operation leaves notes of its own, as each request does.
        state = {**state_of(self._socket.scope), "viewer": viewer}
        connection = HTTPConnection({**self._socket.scope, "state": state})
        try:
            request = await self._read(connection, viewer, payload)
            answers = self._sockets.operations.answers(connection, viewer, request)
            async with aclosing(answers):  # type: ignore[type-var]
                async for answer in answers:
                    if not isinstance(answer, Ended):
                        await self._authenticate()  # it may have ended since
                        await self._send(b'{"id":%b,"type":"next","payload":%b}' % (name, answer))
                    elif answer.stopping:
                        raise Closing(RESTART, "The gateway stops: connect again")
                    elif answer.too_slow:
                        raise Closing(TOO_SLOW, "Too slow: answers are not taken in")
                    elif answer.error is not None:
                        raise answer.error
            await self._send(b'{"id":%b,"type":"complete"}' % name)
        except BadDocument as error:
            await self._fail(name, refused_with(error.errors, self._request_id)["errors"])
        except GatewayError as error:
            await self._fail(name, self._told(error))
        except Closing as closing:
            self._close(closing)
        except WebSocketDisconnect:
            pass  # the client has left, of which the connection hears as well
        except Exception as error:
            log.error("live_operation_crashed", exc_info=error)
            await self._fail(name, self._told(GatewayError(MASK)))
        finally:
            note_single(connection.scope)
            if self._operations.get(id) is asyncio.current_task():
                del self._operations[id]

    async def _read(
        self, connection: HTTPConnection, viewer: Viewer, payload: Mapping[str, Any]
    ) -> GraphQLRequest:
        async with charged_if_refused(connection, viewer):
            return from_parameters(payload)

    def _told(self, error: GatewayError) -> list[dict[str, Any]]:
        told = refused(error.code, error.message, self._request_id, **extensions_of(error))
        errors: list[dict[str, Any]] = told["errors"]
        return errors

    async def _fail(self, name: bytes, errors: list[dict[str, Any]]) -> None:
        with suppress(Closing, WebSocketDisconnect, RuntimeError):
            await self._send(
                b'{"id":%b,"type":"error","payload":%b}' % (name, orjson.dumps(errors))
            )

    async def _send(self, message: bytes) -> None:
        try:
            async with asyncio.timeout(SEND_SECONDS), self._sending:
                if self._socket.application_state is WebSocketState.CONNECTED:
                    await self._socket.send_text(message.decode())
        except RuntimeError:  # the server has closed the connection
            raise WebSocketDisconnect from None
        except TimeoutError:
            raise Closing(TOO_SLOW, "Too slow: answers are not taken in") from None

    def _close(self, closing: Closing) -> None:
        if not self._closing.done():
            self._closing.set_result(closing)

    @property
    def _request_id(self) -> str:
        return request_id_of(self._socket)

    def _note(self, viewer: Viewer) -> None:
        uses: TokenUses | None = getattr(self._socket.app.state, "token_uses", None)
        if uses is not None:
            uses.used(
                AuditRecord(
                    subject=viewer.subject,
                    action="token.used",
                    token_id=viewer.token_id,
                    target=TARGET,
                    request_id=self._request_id,
                    address=address_of(self._socket),
                )
            )
