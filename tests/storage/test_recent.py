"""What was looked up last is remembered, for some seconds and within a limit."""

from collections.abc import Mapping

from storage.recent import Fresh


async def test_values_are_looked_up_once_until_they_are_old() -> None:
    asked: list[set[str]] = []

    async def look_up(keys: set[str]) -> Mapping[str, int]:
        asked.append(keys)
        return {key: len(key) for key in keys if key != "none"}

    known = Fresh[str, int](limit=2)
    assert await known.find(["a", "none"], 60.0, look_up, 0) == {"a": 1, "none": 0}
    assert await known.find(["a", "none"], 60.0, look_up, 0) == {"a": 1, "none": 0}
    assert await known.find(["a", "bb"], 60.0, look_up, 0) == {"a": 1, "bb": 2}
    assert await known.find(["bb"], 0.0, look_up, 0) == {"bb": 2}
    assert await known.find([], 0.0, look_up, 0) == {}
    assert asked == [{"a", "none"}, {"bb"}, {"bb"}]
    await known.find(["c", "d"], 60.0, look_up, 0)
    await known.find(["bb"], 60.0, look_up, 0)
    assert asked[3:] == [{"c", "d"}, {"bb"}]
