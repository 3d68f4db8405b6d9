"""Stores rules of alerts, many at once."""

from collections.abc import Collection
from uuid import UUID, uuid5

import asyncpg
import orjson

from alerts.rules import RULE, OnEvent, Rule, Watch

_NAMESPACE = UUID(int=15)

# The project, None for the platform; a name, what triggers it, and the channels that are told.
Given = tuple[int | None, str, Watch | OnEvent, tuple[str, ...]]


async def store(url: str, rules: Collection[Given]) -> int:
    """Stores rules; returns how many there are."""
    connection = await asyncpg.connect(url)
    await connection.executemany(_INSERT, [_row(*each) for each in rules])
    await connection.execute("analyze")
    await connection.close()
    return len(rules)


def _row(
    project_id: int | None, name: str, trigger: Watch | OnEvent, channels: tuple[str, ...]
) -> tuple[object, ...]:
    rule = Rule(name, trigger, channels=channels)
    document = orjson.dumps(RULE.dump_python(rule, mode="json")).decode()
    return uuid5(_NAMESPACE, f"{project_id}/{name}"), project_id, name, document


_INSERT = """
insert into alert_rules (rule_id, project_id, name, enabled, document, revision, created_at,
  created_by, changed_at, changed_by)
values ($1, $2, $3, true, $4, 1, now(), 'benchmark', now(), 'benchmark')
"""
