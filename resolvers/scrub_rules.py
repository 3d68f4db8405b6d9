"""What a project calls secret in its errors: whoever manages the project reads and sets it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ingest.scrubbing import wrong_name, wrong_pattern
from resolvers.context import Context
from resolvers.user_errors import InputCode, UserError, no_project, wrong
from storage.admin import scrub_rules as table
from storage.admin.scrub_rules import ScrubRules

RULES_AT_MOST = 50  # of each kind
_CHANGED_MEANWHILE = (
    "Somebody has changed the rules meanwhile. Read them again, and send your change with their "
    "revision."
)


@dataclass(frozen=True, slots=True)
class Changed:
    """The stored rules, or the errors in the input."""

    rules: ScrubRules | None
    user_errors: list[UserError]


async def rules_of(context: Context, project: str) -> ScrubRules:
    """Returns the rules of a project in scope; raises NotFound."""
    project_id = await context.required_project_id(project)
    found = await table.find(context.services.database, [project_id])
    return found.get(project_id, ScrubRules())


async def put(
    context: Context,
    project: str,
    names: Sequence[str],
    patterns: Sequence[str],
    revision: str | None,
) -> Changed:
    """Sets the rules of a project in scope, in the place of those of the expected revision."""
    project_id = await context.project_id(project)
    if project_id is None:
        return Changed(None, [no_project(project)])
    if errors := [*_wrong_names(names), *_wrong_patterns(patterns)]:
        return Changed(None, errors)
    rules = ScrubRules(_unique(names), _unique(patterns))
    async with context.transaction() as connection:
        before = await table.lock(connection, project_id)
        if revision is not None and revision != before.revision:
            return Changed(None, [wrong("revision", _CHANGED_MEANWHILE, InputCode.CONFLICT)])
        await table.put(connection, project_id, rules)
    return Changed(rules, [])


def _unique(texts: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(text.strip() for text in texts))


def _wrong_names(names: Sequence[str]) -> Iterator[UserError]:
    if len(names) > RULES_AT_MOST:
        yield wrong("names", f"Give at most {RULES_AT_MOST}.")
    for name in names[:RULES_AT_MOST]:
        if reason := wrong_name(name.strip()):
            yield wrong("names", f"{name[:100]!r} {reason}.")


def _wrong_patterns(patterns: Sequence[str]) -> Iterator[UserError]:
    if len(patterns) > RULES_AT_MOST:
        yield wrong("patterns", f"Give at most {RULES_AT_MOST}.")
    for place, pattern in enumerate(patterns[:RULES_AT_MOST], start=1):
        if reason := wrong_pattern(pattern.strip()):
            # Without the pattern, which may be a secret itself.
            yield wrong("patterns", f"Pattern {place} {reason}.")
