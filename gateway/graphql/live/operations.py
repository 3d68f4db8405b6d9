"""Operations that come over a lasting connection, whichever way they are carried."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from hashlib import sha256
from uuid import uuid4

import orjson
from graphql import ExecutionResult, GraphQLError, OperationType
from starlette.requests import HTTPConnection

from access.viewers import Viewer
from gateway.graphql.answers.encoding import encode
from gateway.graphql.asked import Asked
from gateway.graphql.documents.documents import BadDocument
from gateway.graphql.errors import executed
from gateway.graphql.live.followers import Answer, Ended
from gateway.graphql.live.places import Places
from gateway.graphql.live.topics import Topics
from gateway.graphql.requests import GraphQLRequest
from gateway.graphql.view import GraphQLView
from gateway.http.requests import request_id_of
from resolvers.context import Context
from storage.errors import Unavailable

RETRY_SECONDS = 1.0
# By then a figure that was kept, and told as it was, has been computed anew.
RENEWED_SECONDS = 0.3


@dataclass(frozen=True, slots=True)
class Operations:
    """Begins subscriptions, and answers queries and mutations as over HTTP."""

    view: GraphQLView
    topics: Topics
    places: Places = field(default_factory=Places)

    async def answers(
        self, connection: HTTPConnection, viewer: Viewer, parameters: GraphQLRequest
    ) -> AsyncIterator[bytes | Ended]:
        """The encoded answers of an operation, then how it ended.

        Raises BadDocument or a GatewayError where it cannot begin.
        """
        asked = await self.view.prepared(connection, viewer, parameters)
        if asked.operation is not OperationType.SUBSCRIPTION or asked.parameters.dry_run:
            answering = asyncio.ensure_future(self.view.answered(connection, viewer, asked))
            # A mutation is never left half done, whether or not somebody waits for it.
            is_mutation = asked.operation is OperationType.MUTATION
            answer = await (asyncio.shield(answering) if is_mutation else answering)
            yield answer.body
            yield Ended()
            return
        subscription = _Subscription(self.view, connection, viewer, asked)
        topic = self.topics.topic(_key(viewer, asked), subscription, viewer.key)
        follower = topic.follow()
        try:
            while True:
                answer_or_end = await follower.next()
                yield answer_or_end
                if isinstance(answer_or_end, Ended):
                    return
        finally:
            topic.leave(follower)


@dataclass(slots=True)
class _Subscription:
    """The source of a topic: a subscription of whoever came first."""

    view: GraphQLView
    connection: HTTPConnection
    viewer: Viewer
    asked: Asked
    context: Context | None = None

    def ask_again(self) -> None:
        if self.context is not None:
            self.context.ask_again()

    async def answers(self) -> AsyncIterator[Answer]:
        context = self.context = await self.view.create_context(self.connection, self.viewer)
        try:
            async for answer in self._answers(context):
                yield answer
        finally:
            context.release()

    async def _answers(self, context: Context) -> AsyncIterator[Answer]:
        asked, has_begun = self.asked, False
        loop = asyncio.get_running_loop()
        source = await self.view.executor.subscribe(asked.document, asked.parameters, context)
        if isinstance(source, ExecutionResult):
            raise _first(source.errors or [])
        request_id = request_id_of(self.connection)
        async with aclosing(source) as results:
            async for result in results:
                context.end_answer()
                if context.tells_states and _lacks_a_server(result):
                    # No change would bring what is missing, so it is asked for until it comes.
                    loop.call_later(RETRY_SECONDS, context.ask_again)
                    if has_begun:
                        continue
                yield Answer(encode(executed(result, request_id)), context.tells_states)
                has_begun = True


def _lacks_a_server(result: ExecutionResult) -> bool:
    causes = [error.original_error for error in result.errors or ()]
    return any(isinstance(cause, Unavailable) for cause in causes)


def _first(errors: Sequence[GraphQLError]) -> Exception:
    """What a resolver raised before the first answer."""
    (error, *_others) = errors
    original = error.original_error
    # Without one, or with another of GraphQL's own, the variables were refused.
    if original is None or isinstance(original, GraphQLError):
        return BadDocument(list(errors))
    return original


def _key(viewer: Viewer, asked: Asked) -> str:
    """Equal for those who are told the same, also once projects are made that are not yet."""
    if not asked.document.rules[asked.name].shared:
        return uuid4().hex
    slugs = [] if viewer.is_admin else sorted(viewer.project_slugs)
    question = [asked.document.digest, asked.name, sorted(viewer.roles), slugs]
    try:
        text = orjson.dumps([*question, asked.parameters.variables], option=orjson.OPT_SORT_KEYS)
    except TypeError:  # a whole number over 64 bits, or text that no UTF-8 can carry
        return uuid4().hex
    return sha256(text).hexdigest()
