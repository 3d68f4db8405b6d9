"""Look-ahead of entities: the columns and links that a query selects."""

from collections.abc import Callable

from strawberry.utils.str_converters import to_camel_case

from resolvers.entities import Links
from resolvers.entity_fields import MAX_STATUS_EVENTS
from schema.declarations import TYPE_NAME
from schema.selection import Selected, Selection
from storage.queries.rows import ON_REQUEST

DEFAULT_STATUS_EVENTS = 10

# The fields of a template that its name is enough for.
_TEMPLATE_NAMES = frozenset({TYPE_NAME, "id", "slug", "name"})
_COLUMNS = {to_camel_case(column): column for column in ON_REQUEST}
# The links to the deployment that an entity names.
_DEPLOYMENT = ("rolledBackTo", "deployment")


def links(selection: Selection, fields: list[Selected]) -> Links:
    """The parts of an entity that these fields need."""
    names = {field.name for field in fields}
    of_template = selection.below(fields, "template")
    deployment = selection.below(fields, *_DEPLOYMENT)
    events = [
        field.arguments.get("first", DEFAULT_STATUS_EVENTS)
        for field in fields
        if field.name == "statusEvents"
    ]
    return Links(
        columns=frozenset(_COLUMNS[name] for name in names & _COLUMNS.keys()),
        project="project" in names,
        environment="environment" in names,
        network="network" in names,
        template="template" in names,
        # Figures need no more than the name either; they are objects.
        template_details=any(
            field.below is None and field.name not in _TEMPLATE_NAMES for field in of_template
        ),
        # The field itself refuses a number out of bounds.
        status_events=min(max(events, default=0), MAX_STATUS_EVENTS),
        deployment=links(selection, deployment) if deployment else None,
    )


def links_below(name: str) -> Callable[[Selection, list[Selected]], Links]:
    """Makes a function that returns the parts that are needed of the entity in this field."""
    return lambda selection, fields: links(selection, selection.below(fields, name))
