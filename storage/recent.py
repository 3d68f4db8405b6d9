"""What was looked up last: a dictionary of limited size, and one whose entries grow old."""

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable, Mapping
from math import inf
from time import monotonic
from typing import Generic, TypeVar

KeyT = TypeVar("KeyT")
ValueT = TypeVar("ValueT")


class Recent(OrderedDict[KeyT, ValueT]):
    """The entries that were stored last, at most `limit` of them."""

    def __init__(self, limit: int) -> None:
        super().__init__()
        self._limit = limit

    def __setitem__(self, key: KeyT, value: ValueT) -> None:
        super().__setitem__(key, value)
        self.move_to_end(key)
        if len(self) > self._limit:
            self.popitem(last=False)


class Fresh(Generic[KeyT, ValueT]):
    """Values that were looked up last, to be used for some seconds."""

    def __init__(self, limit: int) -> None:
        self._known = Recent[KeyT, tuple[float, ValueT]](limit)

    async def find(
        self,
        keys: Iterable[KeyT],
        seconds: float,
        look_up: Callable[[set[KeyT]], Awaitable[Mapping[KeyT, ValueT]]],
        missing: ValueT,
    ) -> dict[KeyT, ValueT]:
        """The value of each key, read at most so many seconds ago.

        `missing` stands for those that the look-up does not find.
        """
        now = monotonic()
        found: dict[KeyT, ValueT] = {}
        unknown: set[KeyT] = set()
        for key in keys:
            at, value = self._known.get(key, (-inf, missing))
            if now - at < seconds:
                found[key] = value
            else:
                unknown.add(key)
        read = await look_up(unknown) if unknown else {}
        for key in unknown:
            found[key] = read.get(key, missing)
            self._known[key] = now, found[key]
        return found
