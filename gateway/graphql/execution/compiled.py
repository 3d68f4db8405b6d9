"""Compiled completion: a generated function builds the parts of a response that are attributes.

graphql-core takes about six microseconds for each field of each row. Where a selection and all
below it read attributes, a function is generated once that reads them into a dictionary. It checks
types as graphql-core does, and gives up at the first surprise (an unexpected null or type, an
exception). Then its result is dropped and graphql-core completes the selection, so that all errors,
paths and propagated nulls are graphql-core's own. Attributes have no side effects, so they can be
read twice.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from graphql import GraphQLObjectType, is_non_null_type, is_object_type
from graphql.execution.values import get_argument_values

from gateway.graphql.execution.counting import CountingExecutor
from gateway.graphql.execution.plain import Argued, Generator, NotPlainError
from storage.errors import LimitExceeded
from storage.recent import Recent

MAX_PLANS = 512


@dataclass(frozen=True, slots=True)
class CompletionPlan:
    """How to complete a selection; without a function, graphql-core completes it."""

    complete: Callable[[Any, Any], dict[str, Any]] | None = None
    argued: tuple[Argued, ...] = ()
    size: int = 0  # the values of one object, without those of its lists
    # A reference, so that no other node gets the id that is part of this plan's key.
    details: Any = None


UNPLANNED = CompletionPlan()


class CompletionPlans:
    """A least-recently-used cache of plans. A selection is compiled at its second use."""

    def __init__(self) -> None:
        self._plans = Recent[Any, CompletionPlan | None](MAX_PLANS)

    def find(self, key: Any, make: Callable[[], CompletionPlan]) -> CompletionPlan:
        """Return the plan of this key; UNPLANNED at its first use."""
        plan = (self._plans[key] or make()) if key in self._plans else None
        self._plans[key] = plan
        return plan or UNPLANNED


class CompiledExecutor(CountingExecutor):
    """An executor with compiled completion of objects and lists of objects."""

    plans: CompletionPlans

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # With a reference to the field details, so that their id stays theirs.
        self._plan_of: dict[tuple[str, int], tuple[CompletionPlan, Any]] = {}
        # Variables change the selection only through @skip and @include.
        coerced = self.variable_values.coerced
        self._switches = tuple(sorted(name for name, value in coerced.items() if value is True))

    def completed_list(self, item_type: Any, details: Any, items: Any) -> list[Any] | None:
        kind = item_type.of_type if is_non_null_type(item_type) else item_type
        if not is_object_type(kind) or not isinstance(items, list | tuple):
            return None
        return self._complete(self._plan(kind, details), items)

    def completed_object(self, kind: Any, details: Any, value: Any) -> dict[str, Any] | None:
        completed = self._complete(self._plan(kind, details), (value,))
        return None if completed is None else completed[0]

    def _complete(
        self, plan: CompletionPlan, objects: Sequence[Any]
    ) -> list[dict[str, Any]] | None:
        """Complete the objects; returns None if graphql-core has to complete them."""
        complete = plan.complete
        if complete is None:
            return None
        try:
            self.count(len(objects) * plan.size)
            arguments = self._arguments(plan)
            return [complete(item, arguments) for item in objects]
        except LimitExceeded:
            raise
        except Exception:  # noqa: BLE001 - graphql-core finds and reports it
            return None

    def _plan(self, kind: GraphQLObjectType, details: Any) -> CompletionPlan:
        """The plan of a selection; looked up once per operation."""
        key = (kind.name, id(details))
        if key not in self._plan_of:
            self._plan_of[key] = (self._find(kind, details), details)
        return self._plan_of[key][0]

    def _find(self, kind: GraphQLObjectType, details: Any) -> CompletionPlan:
        if self.middleware_manager:
            return UNPLANNED
        key = (kind.name, tuple(id(field.node) for field in details), self._switches)
        return self.plans.find(key, lambda: self._compiled(kind, details))

    def _compiled(self, kind: GraphQLObjectType, details: Any) -> CompletionPlan:
        generator = Generator(
            collect=lambda kind, details: self.collect_subfields(kind, details).grouped_field_set,
            field_of=self.schema.get_field,
        )
        try:
            complete = generator.generate(kind, details)
        except NotPlainError:
            return CompletionPlan(details=details)
        size = generator.size(kind, details)
        return CompletionPlan(complete, tuple(generator.argued), size, details)

    def _arguments(self, plan: CompletionPlan) -> list[Any]:
        """The second argument of a generated function: its fields' arguments, then the counter."""
        arguments: list[Any] = [
            get_argument_values(
                argued.definition, argued.node, self.variable_values, None, self.hide_suggestions
            )
            for argued in plan.argued
        ]
        return [*arguments, self.count]


def compiled_executor() -> type[CompiledExecutor]:
    """Make an executor class with its own plans; use one per schema."""
    return type("CompiledExecutor", (CompiledExecutor,), {"plans": CompletionPlans()})
