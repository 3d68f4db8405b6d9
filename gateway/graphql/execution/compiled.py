"""Completion compiled: where an answer is plain attributes, a generated function builds it.

graphql-core walks every field of every row, about six microseconds each. For a selection whose
whole sub-tree reads attributes, a function is generated once that reads them straight into a
dictionary. It checks types as graphql-core does, and whatever surprises it (a null where none may
be, a value of another type, an exception) makes it give up: its result is thrown away and the
sub-tree left to graphql-core, so that every error, path and propagated null is graphql-core's own.
Reading an attribute has no side effects, so doing it twice is safe.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from graphql import GraphQLObjectType, is_non_null_type, is_object_type
from graphql.execution.values import get_argument_values

from gateway.graphql.execution.counting import CountingExecutor
from gateway.graphql.execution.plain import Argued, Generator, NotPlainError, generate
from storage.errors import LimitExceeded

KEPT_PLANS = 512


@dataclass(frozen=True, slots=True)
class CompletionPlan:
    """How to complete one selection; without a function graphql-core does the work."""

    complete: Callable[[Any, Any], dict[str, Any]] | None = None
    argued: tuple[Argued, ...] = ()
    size: int = 0  # how many values one object holds, those of its lists aside
    # Held, so that no other node can come to lie at the address that names this plan.
    details: Any = None


UNPLANNED = CompletionPlan()


class CompletionPlans:
    """A bounded memory of plans. A selection is compiled when it comes for the second time."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Any, CompletionPlan | None] = OrderedDict()

    def find(self, key: Any, make: Callable[[], CompletionPlan]) -> CompletionPlan:
        if key not in self._kept:
            self._keep(key, None)
            return UNPLANNED
        plan = self._kept[key]
        if plan is None:
            plan = make()
        self._keep(key, plan)
        return plan

    def _keep(self, key: Any, plan: CompletionPlan | None) -> None:
        self._kept[key] = plan
        self._kept.move_to_end(key)
        if len(self._kept) > KEPT_PLANS:
            self._kept.popitem(last=False)


class CompiledExecutor(CountingExecutor):
    """The executor with compiled completion of lists of objects and of objects."""

    plans: CompletionPlans

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # With what is planned, so that its address names nothing else meanwhile.
        self._plan_of: dict[tuple[str, int], tuple[CompletionPlan, Any]] = {}
        # @skip and @include decide what is selected; nothing else in the variables does.
        coerced = self.variable_values.coerced
        self._switches = tuple(sorted(name for name, value in coerced.items() if value is True))

    def complete_iterable_value(
        self,
        item_type: Any,
        field_details_list: Any,
        info: Any,
        path: Any,
        items: Any,
        position_context: Any,
    ) -> Any:
        inner = item_type.of_type if is_non_null_type(item_type) else item_type
        if is_object_type(inner) and isinstance(items, list | tuple):
            plan = self._plan(inner, field_details_list)
            if plan.complete is not None:
                try:
                    self.count(len(items) * plan.size)
                    arguments = self._arguments(plan)
                    complete = plan.complete
                    return [complete(item, arguments) for item in items]
                except LimitExceeded:
                    raise
                except Exception:  # noqa: BLE001, S110 - graphql-core finds and reports it
                    pass
        return super().complete_iterable_value(
            item_type, field_details_list, info, path, items, position_context
        )

    def complete_object_value(
        self,
        return_type: Any,
        field_details_list: Any,
        info: Any,
        path: Any,
        result: Any,
        position_context: Any,
    ) -> Any:
        plan = self._plan(return_type, field_details_list)
        if plan.complete is not None:
            try:
                self.count(plan.size)
                return plan.complete(result, self._arguments(plan))
            except LimitExceeded:
                raise
            except Exception:  # noqa: BLE001, S110 - graphql-core finds and reports it
                pass
        return super().complete_object_value(
            return_type, field_details_list, info, path, result, position_context
        )

    def _plan(self, kind: GraphQLObjectType, details: Any) -> CompletionPlan:
        """The plan of a selection, looked up once per operation."""
        here = (kind.name, id(details))
        if here not in self._plan_of:
            self._plan_of[here] = (self._find(kind, details), details)
        return self._plan_of[here][0]

    def _find(self, kind: GraphQLObjectType, details: Any) -> CompletionPlan:
        if self.middleware_manager:
            return UNPLANNED
        key = (kind.name, tuple(id(one.node) for one in details), self._switches)
        return self.plans.find(key, lambda: self._compiled(kind, details))

    def _compiled(self, kind: GraphQLObjectType, details: Any) -> CompletionPlan:
        generator = Generator(
            collect=lambda kind, details: self.collect_subfields(kind, details).grouped_field_set,
            field_of=self.schema.get_field,
        )
        try:
            complete = generate(generator, kind, details)
        except NotPlainError:
            return CompletionPlan(details=details)
        size = generator.size(kind, details)
        return CompletionPlan(complete, tuple(generator.argued), size, details)

    def _arguments(self, plan: CompletionPlan) -> list[Any]:
        """What a generated function is given: the arguments of its fields, and the counter."""
        arguments: list[Any] = [
            get_argument_values(
                argued.definition, argued.node, self.variable_values, None, self.hide_suggestions
            )
            for argued in plan.argued
        ]
        return [*arguments, self.count]


def compiled_executor() -> type[CompiledExecutor]:
    """An executor class with plans of its own, which belong to one schema."""
    return type("CompiledExecutor", (CompiledExecutor,), {"plans": CompletionPlans()})
