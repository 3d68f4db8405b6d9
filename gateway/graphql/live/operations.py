"""Operations that come over a lasting connection, whichever way they are carried."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from hashlib import sha256
from uuid import uuid4

from graphql import ExecutionResult, GraphQLError, OperationType
from starlette.requests import HTTPConnection

from access.viewers import Viewer
from gateway.graphql.documents import BadDocument
from gateway.graphql.encoding import encode
from gateway.graphql.errors import executed
from gateway.graphql.live.topics import Answer, Ended, Topics
from gateway.graphql.requests import GraphQLRequest
from gateway.graphql.responses import responses_of
from gateway.graphql.view import Asked, GraphQLView
from gateway.requests import request_id_of


@dataclass(frozen=True, slots=True)
class Operations:
    """Begins subscriptions, and answers queries and mutations as over HTTP."""

    view: GraphQLView
    topics: Topics

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
        key = await _key(connection, viewer, asked)
        topic = self.topics.topic(key, lambda: self._subscribed(connection, viewer, asked))
        follower = topic.follow()
        try:
            while True:
                answer_or_end = await follower.next()
                yield answer_or_end
                if isinstance(answer_or_end, Ended):
                    return
        finally:
            topic.leave(follower)

    async def _subscribed(
        self, connection: HTTPConnection, viewer: Viewer, asked: Asked
    ) -> AsyncIterator[Answer]:
        context = await self.view.create_context(connection, viewer)
        source = await self.view.executor.subscribe(asked.document, asked.parameters, context)
        if isinstance(source, ExecutionResult):
            raise _first(source.errors or [])
        request_id = request_id_of(connection)
        async with aclosing(source) as results:
            async for result in results:
                yield Answer(encode(executed(result, request_id)), context.tells_states)


def _first(errors: Sequence[GraphQLError]) -> Exception:
    """What a resolver raised before the first answer."""
    (error, *_others) = errors
    original = error.original_error
    # Without one, or with another of GraphQL's own, the variables were refused.
    if original is None or isinstance(original, GraphQLError):
        return BadDocument(list(errors))
    return original


async def _key(connection: HTTPConnection, viewer: Viewer, asked: Asked) -> str:
    """Equal for those who are told the same, also once projects are made that are not yet."""
    responses = responses_of(connection)
    place = None
    if responses is not None:
        place = await responses.place(asked.document, asked.parameters, viewer)
    if place is None:
        return uuid4().hex
    slugs = "\n".join(sorted(viewer.project_slugs))
    return f"{place.key}:{sha256(slugs.encode('utf-8', 'surrogatepass')).hexdigest()}"
