"""Runs a prepared document against the schema, within a deadline."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass
from inspect import isawaitable
from typing import Any, TypeGuard, cast

import strawberry
from graphql import ExecutionResult, OperationType, execute, subscribe
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
    """graphql-core with Strawberry's execution context, past Strawberry's parsing pipeline.

    The document is parsed, limited and validated already, so Strawberry's `execute` has nothing to
    add; the schema uses no Strawberry extensions, which would be skipped here.
    """

    schema: strawberry.Schema
    deadline_seconds: float = 15.0
    hide_suggestions: bool = True
    executor_class: type[CountingExecutor] = CountingExecutor

    async def run(
        self, document: Document, request: GraphQLRequest, context: Awaitable[Any]
    ) -> ExecutionResult:
        """Execute; the deadline also covers making the context."""
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
            return await _result(self._start(document, request, context))
        is_query = document.operation(request.operation_name) is OperationType.QUERY
        try:
            if not is_query:
                context.begin_again()
            result = await _result(self._start(document, request, context))
            if is_query and context.has_moved:
                context.begin_again()
                result = await _result(self._start(document, request, context))
            return result
        finally:
            context.release()

    async def subscribe(
        self, document: Document, request: GraphQLRequest, context: Any
    ) -> AsyncGenerator[ExecutionResult, None] | ExecutionResult:
        """The answers of a subscription as they come, or why there is none."""
        if isinstance(context, Context):
            context.begin_again()
        source = subscribe(
            core(self.schema),
            document.syntax,
            context_value=context,
            variable_values=request.variables,
            operation_name=request.operation_name,
            max_coercion_errors=ERRORS_SHOWN,
            executor_class=self.executor_class,
            hide_suggestions=self.hide_suggestions,
            operation_extensions=request.extensions,
        )
        if isawaitable(source):
            source = await source
        return cast("AsyncGenerator[ExecutionResult, None] | ExecutionResult", source)

    def _start(
        self, document: Document, request: GraphQLRequest, context: Any
    ) -> ExecutionResult | Awaitable[ExecutionResult]:
        return execute(
            core(self.schema),
            document.syntax,
            context_value=context,
            variable_values=request.variables,
            operation_name=request.operation_name,
            max_coercion_errors=ERRORS_SHOWN,
            executor_class=self.executor_class,
            is_awaitable=cast("Callable[[Any], TypeGuard[Awaitable[Any]]]", optimized_is_awaitable),
            hide_suggestions=self.hide_suggestions,
            operation_extensions=request.extensions,
        )


async def _result(started: ExecutionResult | Awaitable[ExecutionResult]) -> ExecutionResult:
    return started if isinstance(started, ExecutionResult) else await started
