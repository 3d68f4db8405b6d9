"""Limits the values in a response: a short document can select millions."""

from __future__ import annotations

from collections.abc import Sized
from typing import Any

from graphql import GraphQLObjectType
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from resolvers.context import MAX_VALUES
from storage.errors import LimitExceeded

# A value of the usual introspection takes 6 to 8 us, of the slowest 11 us; other values take 3 to
# 7 us, by how deep they are: at the limit, neither takes longer than the other.
INTROSPECTION_WEIGHT = 2


class CountingExecutor(StrawberryGraphQLCoreExecutionContext):
    """Strawberry's executor with a limit of values in the response."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._values = 0

    def count(self, values: int) -> None:
        """Count values before they are built; raises LimitExceeded over the limit."""
        self._values += values
        if self._values > MAX_VALUES:
            raise LimitExceeded(
                f"A response holds at most {MAX_VALUES:,} values: ask for fewer items, buckets or "
                "fields at once.",
                limit="values",
            )

    def completed_list(self, _item_type: Any, _details: Any, _items: Any) -> list[Any] | None:
        """Complete a list in another way than graphql-core's; None where there is none."""
        return None

    def completed_object(self, _kind: Any, _details: Any, _value: Any) -> dict[str, Any] | None:
        """Complete an object in another way than graphql-core's; None where there is none."""
        return None

    def complete_iterable_value(
        self,
        item_type: Any,
        field_details_list: Any,
        info: Any,
        path: Any,
        items: Any,
        position_context: Any,
    ) -> Any:
        completed = self.completed_list(item_type, field_details_list, items)
        if completed is not None:
            return completed
        if isinstance(items, Sized):
            self.count(len(items))
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
        completed = self.completed_object(return_type, field_details_list, result)
        if completed is not None:
            return completed
        fields = self.collect_subfields(return_type, field_details_list).grouped_field_set
        self.count(len(fields) * _weight(return_type))
        return super().complete_object_value(
            return_type, field_details_list, info, path, result, position_context
        )


def _weight(kind: GraphQLObjectType) -> int:
    return INTROSPECTION_WEIGHT if kind.name.startswith("__") else 1
