"""SQL that counts the names of a project with a user's id in them, which an erasure leaves.

Rows of all users share a name by its number, and roll-ups are counted by it. What alert rules,
silences, channels and kept panels select or are called would mean something else if it changed.
"""

from collections.abc import Iterator
from functools import cache
from typing import Any

from sqlalchemy import Column

from storage.alerts.tables import alert_channels, alert_revisions, alert_rules, alert_silences
from storage.error_groups.tables import Facet, facets, releases
from storage.facts import FACTS
from storage.facts.fact import Fact
from storage.kept_panels import kept_panels

# Label sets are written as `name=value,name=value`.
_HAS_ID = """(name = $2::text or position($4::text in name) > 0
  or case when $3::boolean then position($2 in name) > 0 else name ~ $5::text end)"""


@cache
def names_with_id() -> str:
    """SQL for how many names have the id, by dimension or kind; those without one are left out.

    The parameters are the project, the id, whether it is distinct, its mark, and a regular
    expression for the id as a label.
    """
    sources = [source for fact in FACTS.values() for source in _names_of(fact)]
    sources += [
        f"select 'release', release from {releases.name} where project_id = $1",
        f"select 'function', value from {facets.name}"
        f" where project_id = $1 and facet = {int(Facet.FUNCTION)}",
        _texts_in("alert_rule", alert_rules.c.document),
        _texts_in("alert_rule", alert_revisions.c.document, f"join {alert_rules} using (rule_id)"),
        _texts_in("silence", alert_silences.c.matchers),
        _texts_in("notification_channel", alert_channels.c.settings),
        f"select 'notification_channel', name from {alert_channels} where project_id = $1",
        _texts_in("kept_panel", kept_panels.c.question),
    ]
    return (
        f"select dimension, count(distinct name) from ({' union all '.join(sources)})"
        f" as known(dimension, name) where {_HAS_ID} group by dimension"
    )


def _texts_in(kind: str, column: Column[Any], joined: str = "") -> str:
    """The texts of a JSON column: what they select, and how they are called."""
    return (
        f"select '{kind}', given #>> '{{}}' from {column.table} {joined},"
        f" jsonb_path_query({column}, 'strict $.** ? (@.type() == \"string\")') as given"
        " where project_id = $1"
    )


def _names_of(fact: Fact) -> Iterator[str]:
    """The names of its series, and those that its rows have as they were given."""
    series = fact.series.name
    for dimension in fact.dimensions:
        if dimension.interned:
            dictionary, label = dimension.dictionary.name, dimension.names.name
            yield (
                f"select '{dimension}', {label} from {dictionary}"
                f" join {series} using ({dimension.column}) where project_id = $1"
            )
    for table in dict.fromkeys((fact.table, fact.events)):
        given = [f"('{each}', {each})" for each in fact.dimensions if each.name in table.c]
        if given:
            yield (
                f"select dimension, name from {table.name},"
                f" lateral (values {', '.join(given)}) as given(dimension, name)"
                " where project_id = $1"
            )
