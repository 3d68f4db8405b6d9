"""Operations over lasting connections, whichever transport carries them."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from uuid import uuid4

from graphql import ExecutionResult, GraphQLError

from access.viewers import Viewer
from gateway.graphql.answers.encoding import encode
from gateway.graphql.answers.response_cache import question_key
from gateway.graphql.documents.documents import BadDocument
from gateway.graphql.errors import crashes, executed
from gateway.graphql.live.followers import Message
from gateway.graphql.live.topics import Topics
from gateway.graphql.requests import GraphQLRequest
from gateway.graphql.service import GraphQLService, PreparedOperation
from gateway.http.crashes import Crash
from gateway.http.exchange import Exchange
from resolvers.context import Context
from storage.errors import GatewayError, Unavailable

RETRY_SECONDS = 1.0
MAX_CONNECTIONS = 100  # of one viewer or service token

# Gets the unexpected exceptions of an operation.
OnCrash = Callable[..., None]


class ViewerConnections:
    """The open WebSockets and event streams of a process, counted by viewer key."""

    def __init__(self) -> None:
        self._open = Counter[str]()

    def enter(self, viewer_key: str) -> bool:
        """Counts one more connection; False where the viewer has the maximum already."""
        if self._open[viewer_key] >= MAX_CONNECTIONS:
            return False
        self._open[viewer_key] += 1
        return True

    def leave(self, viewer_key: str) -> None:
        self._open[viewer_key] -= 1
        if not self._open[viewer_key]:
            del self._open[viewer_key]


@dataclass(frozen=True, slots=True)
class LiveOperations:
    """Runs operations over lasting connections: subscriptions, queries and mutations."""

    service: GraphQLService
    topics: Topics
    on_crash: OnCrash = lambda _exchange, *_crashes: None
    connections: ViewerConnections = field(default_factory=ViewerConnections)

    async def answers(self, exchange: Exchange, request: GraphQLRequest) -> AsyncIterator[bytes]:
        """Yields the encoded answers of an operation until it is complete.

        Raises a GatewayError where it fails, and Interrupted where it must end.
        """
        async with self.service.charged_if_refused(exchange):
            prepared = await self.service.prepare(exchange, request)
        await self.service.charge(exchange, prepared)
        operation = prepared.operation
        if not operation.is_subscription or prepared.request.dry_run:
            answering = asyncio.ensure_future(self.service.answer(exchange, prepared))
            # A mutation is never left half done, whether or not its client still waits.
            answer = await (asyncio.shield(answering) if operation.is_mutation else answering)
            yield answer.body
            return
        viewer = exchange.required_viewer()
        subscription = _Subscription(self.service, exchange, prepared, self.on_crash)
        topic = self.topics.topic(_key(viewer, prepared), subscription, viewer.key)
        follower = topic.follow()
        try:
            while (message := await follower.next()) is not None:
                yield message
        finally:
            topic.leave(follower)


@dataclass(slots=True)
class _Subscription:
    """The source of a topic: the subscription of its first follower."""

    service: GraphQLService
    exchange: Exchange
    prepared: PreparedOperation
    on_crash: OnCrash
    context: Context | None = None

    def send_again(self) -> None:
        if self.context is not None:
            self.context.send_again()

    async def messages(self) -> AsyncIterator[Message]:
        context = self.context = await self.service.create_context(self.exchange)
        try:
            async for message in self._messages(context):
                yield message
        except GatewayError:
            raise
        except Exception as error:
            self.on_crash(self.exchange, Crash.of(error))
            raise
        finally:
            context.release()

    async def _messages(self, context: Context) -> AsyncIterator[Message]:
        prepared, has_begun = self.prepared, False
        loop = asyncio.get_running_loop()
        source = await self.service.executor.subscribe(prepared.document, prepared.request, context)
        if isinstance(source, ExecutionResult):
            raise _first(source.errors or [])
        async with aclosing(source) as results:
            async for result in results:
                context.end_answer()
                if context.sends_full_state and _lacks_a_server(result):
                    # No event will bring the missing parts, so it tries again.
                    loop.call_later(RETRY_SECONDS, context.send_again)
                    if has_begun:
                        continue
                self.on_crash(self.exchange, *crashes(result))
                body = encode(executed(result, self.exchange.request_id))
                yield Message(body, is_state=context.sends_full_state)
                has_begun = True


def _lacks_a_server(result: ExecutionResult) -> bool:
    causes = [error.original_error for error in result.errors or ()]
    return any(isinstance(cause, Unavailable) for cause in causes)


def _first(errors: Sequence[GraphQLError]) -> Exception:
    """The exception that a resolver raised before the first answer."""
    (error, *_others) = errors
    original = error.original_error
    # No original error, or a GraphQLError, means that the variables were refused.
    if original is None or isinstance(original, GraphQLError):
        return BadDocument(list(errors))
    return original


def _key(viewer: Viewer, prepared: PreparedOperation) -> str:
    """Equal for viewers who get the same answers, also after new projects are created."""
    operation = prepared.operation
    if not operation.rules.shared:
        return uuid4().hex
    slugs = [] if viewer.is_admin else sorted(viewer.project_slugs)
    digest, variables = prepared.document.digest, prepared.request.variables
    key = question_key(digest, operation.name, sorted(viewer.roles), slugs, variables)
    return key or uuid4().hex
