"""Executes a validated document within a deadline."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass
from inspect import isawaitable
from typing import Any, TypeGuard, cast

import strawberry
from graphql import ExecutionResult, execute, subscribe
from strawberry.execution.is_awaitable import optimized_is_awaitable

from gateway.graphql.documents.documents import Document
from gateway.graphql.documents.limits import ERRORS_SHOWN
from gateway.graphql.execution.counting import CountingExecutor
from gateway.graphql.requests import GraphQLRequest
from resolvers.context import Context
from schema.internals import core
from storage.errors import Timeout


@dataclass(frozen=True, slots=True)
class Executor:
    """graphql-core with Strawberry's execution context, without Strawberry's own pipeline.

    Strawberry's `execute` would parse and validate again, and run Strawberry extensions, of which
    the schema has none.
    """

    schema: strawberry.Schema
    deadline_seconds: float = 15.0
    hide_suggestions: bool = True
    executor_class: type[CountingExecutor] = CountingExecutor

    async def run(
        self, document: Document, request: GraphQLRequest, context: Awaitable[Any]
    ) -> ExecutionResult:
        """Execute a query or mutation; the deadline also covers making the context."""
        try:
            async with asyncio.timeout(self.deadline_seconds):
                return await self._run(document, request, await context)
        except TimeoutError:
            raise Timeout(
                f"The operation took longer than {self.deadline_seconds:g} seconds."
            ) from None

    async def _run(
        self, document: Document, request: GraphQLRequest, context: Any
    ) -> ExecutionResult:
        if not isinstance(context, Context):
            return await self._execute(document, request, context)
        is_query = document.operation(request.operation_name).is_query
        try:
            if not is_query:
                context.restart()
            result = await self._execute(document, request, context)
            if is_query and context.data_changed:
                context.restart()
                result = await self._execute(document, request, context)
            return result
        finally:
            context.release()

    async def subscribe(
        self, document: Document, request: GraphQLRequest, context: Any
    ) -> AsyncGenerator[ExecutionResult, None] | ExecutionResult:
        """Start a subscription; return its stream of results, or a result with its errors."""
        if isinstance(context, Context):
            context.restart()
        source = subscribe(**self._arguments(document, request, context))
        if isawaitable(source):
            source = await source
        return cast("AsyncGenerator[ExecutionResult, None] | ExecutionResult", source)

    async def _execute(
        self, document: Document, request: GraphQLRequest, context: Any
    ) -> ExecutionResult:
        is_awaitable = cast("Callable[[Any], TypeGuard[Awaitable[Any]]]", optimized_is_awaitable)
        arguments = self._arguments(document, request, context)
        result = execute(**arguments, is_awaitable=is_awaitable)
        return result if isinstance(result, ExecutionResult) else await result

    def _arguments(
        self, document: Document, request: GraphQLRequest, context: Any
    ) -> dict[str, Any]:
        return {
            "schema": core(self.schema),
            "document": document.syntax,
            "context_value": context,
            "variable_values": request.variables,
            "operation_name": request.operation_name,
            "max_coercion_errors": ERRORS_SHOWN,
            "executor_class": self.executor_class,
            "hide_suggestions": self.hide_suggestions,
            "operation_extensions": request.extensions,
        }
