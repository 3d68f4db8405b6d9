"""GraphQL over WebSocket: the protocol graphql-transport-ws, with all its close codes."""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from typing import Any

import orjson
import structlog
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from access.limits import Budget
from access.token_uses import TokenUses
from access.viewers import Viewer
from gateway.graphql.errors import error_body
from gateway.graphql.live.followers import Stopping, TooSlow
from gateway.graphql.live.operations import MAX_CONNECTIONS, LiveOperations, OnCrash
from gateway.graphql.live.protocol import (
    DUPLICATE,
    FORBIDDEN,
    INIT_TIMEOUT,
    INVALID,
    PROTOCOL,
    RESTART,
    SLOW_REASON,
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
from gateway.graphql.requests import from_parameters
from gateway.http.audit_trail import record_failures, record_refusal, record_use
from gateway.http.charging import charge
from gateway.http.crashes import Crash
from gateway.http.errors import MASK, InvalidToken
from gateway.http.exchange import Exchange
from gateway.http.tokens import Authenticator
from storage.admin.audit import OK
from storage.errors import GatewayError, RateLimited

log = structlog.get_logger(component="live")

INIT_SECONDS = 10.0
# How long a client may take to read a message before its connection is closed.
SEND_SECONDS = 20.0
# How long the close frame may take.
CLOSE_SECONDS = 1.0
# How often the token is verified again: the connection ends with it.
TOKEN_SECONDS = 5.0
MESSAGE_BYTES = 100 * 1024
MAX_OPERATIONS = 50
MAX_MESSAGES = 100
MESSAGES_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class LiveSockets:
    """The ASGI application behind a WebSocket to /graphql."""

    operations: LiveOperations
    authenticator: Authenticator
    token_uses: TokenUses
    on_crash: OnCrash
    on_connections: Callable[[int], None]
    on_message: Callable[[str], None]
    connections: set["_Connection"] = field(default_factory=set)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
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
        if not self.operations.connections.enter(viewer.key):
            raise Closing(TOO_MANY, f"At most {MAX_CONNECTIONS} connections at once")
        self.connections.add(connection)
        self.on_connections(len(self.connections))

    def leave(self, connection: "_Connection", viewer: Viewer) -> None:
        self.operations.connections.leave(viewer.key)
        self.connections.discard(connection)
        self.on_connections(len(self.connections))


class _Connection:
    """One client: its viewer, once authenticated, and its operations."""

    def __init__(self, sockets: LiveSockets, socket: WebSocket) -> None:
        self._sockets = sockets
        self._socket = socket
        self._exchange = Exchange.of(socket.scope)
        self._token = ""
        self._operations: dict[str, asyncio.Task[None]] = {}
        self._watch: asyncio.Task[None] | None = None
        self._sending = asyncio.Lock()
        self._times: deque[float] = deque(maxlen=MAX_MESSAGES)
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
        if (viewer := self._exchange.viewer) is not None:
            self._sockets.leave(self, viewer)
            log.info("live_connection_closed", subject=viewer.subject)

    async def _receive(self) -> None:
        try:
            async with asyncio.timeout(INIT_SECONDS):
                while self._exchange.viewer is None:
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
        if len(self._times) == MAX_MESSAGES and now - self._times[0] < MESSAGES_SECONDS:
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
                await self._count_refusal(closing)
            raise
        self._sockets.enter(self, viewer)
        self._exchange.viewer = viewer
        record_use(self._exchange, self._sockets.token_uses, OK)
        self._watch = asyncio.create_task(self._watch_token(), name="watch-token")
        await self._send(b'{"type":"connection_ack"}')

    async def _authenticate(self) -> Viewer:
        try:
            return await self._sockets.authenticator.authenticate(self._token)
        except InvalidToken as error:
            raise Closing(FORBIDDEN, f"Forbidden: {error.message}") from None
        except GatewayError as error:
            raise Closing(TRY_LATER, error.message) from None

    async def _count_refusal(self, closing: Closing) -> None:
        """Guessed tokens are charged and recorded as over HTTP."""
        self._exchange.refusal = closing.reason
        record_refusal(self._exchange, self._sockets.token_uses, "UNAUTHENTICATED")
        try:
            budgets = self._sockets.operations.service.budgets
            await charge(self._exchange, budgets, {Budget.ADDRESS: 1})
        except RateLimited as error:
            raise Closing(TOO_MANY, error.message) from None

    async def _watch_token(self) -> None:
        """Closes the connection when the token expires or is revoked."""
        while True:
            await asyncio.sleep(TOKEN_SECONDS)
            try:
                await self._authenticate()
            except Closing as closing:
                self._close(closing)

    def _subscribe(self, id: str, payload: Mapping[str, Any]) -> None:
        if self._exchange.viewer is None:
            raise Closing(UNAUTHORIZED, "Unauthorized")
        if id in self._operations:
            raise Closing(DUPLICATE, f"Subscriber for {id} already exists")
        if len(self._operations) >= MAX_OPERATIONS:
            raise Closing(TOO_MANY, f"At most {MAX_OPERATIONS} operations at once")
        task = asyncio.create_task(self._operate(id, payload), name="operation")
        self._operations[id] = task

    async def _operate(self, id: str, payload: Mapping[str, Any]) -> None:
        """Sends the answers of an operation. Whatever goes wrong, the other operations go on."""
        name = orjson.dumps(id)
        exchange, operations = self._exchange.for_operation(), self._sockets.operations
        try:
            async with operations.service.charged_if_refused(exchange):
                request = from_parameters(payload)
            answers = operations.answers(exchange, request)
            async with aclosing(answers):  # type: ignore[type-var]
                async for answer in answers:
                    await self._authenticate()  # the token may have expired since
                    await self._send(b'{"id":%b,"type":"next","payload":%b}' % (name, answer))
            await self._send(b'{"id":%b,"type":"complete"}' % name)
        except GatewayError as error:
            await self._fail(name, error_body(error, exchange.request_id))
        except Stopping:
            self._close(Closing(RESTART, "The gateway stops: connect again"))
        except TooSlow:
            self._close(Closing(TOO_SLOW, SLOW_REASON))
        except Closing as closing:
            self._close(closing)
        except WebSocketDisconnect:
            pass  # the connection ends by itself
        except Exception as error:
            log.error("live_operation_crashed", exc_info=error)
            exchange.crashes.append(Crash.of(error))
            await self._fail(name, error_body(GatewayError(MASK), exchange.request_id))
        finally:
            record_failures(exchange, self._sockets.token_uses)
            self._sockets.on_crash(exchange, *exchange.crashes)
            if self._operations.get(id) is asyncio.current_task():
                del self._operations[id]

    async def _fail(self, name: bytes, body: Mapping[str, Any]) -> None:
        payload = orjson.dumps(body["errors"])
        with suppress(Closing, WebSocketDisconnect, RuntimeError):
            await self._send(b'{"id":%b,"type":"error","payload":%b}' % (name, payload))

    async def _send(self, message: bytes) -> None:
        try:
            async with asyncio.timeout(SEND_SECONDS), self._sending:
                if self._socket.application_state is WebSocketState.CONNECTED:
                    await self._socket.send_text(message.decode())
        except RuntimeError:  # the server has closed the connection
            raise WebSocketDisconnect from None
        except TimeoutError:
            raise Closing(TOO_SLOW, SLOW_REASON) from None

    def _close(self, closing: Closing) -> None:
        if not self._closing.done():
            self._closing.set_result(closing)
