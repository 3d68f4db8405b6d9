"""SQL that turns stored events back into lines of the wire format, to be sent again."""

from collections.abc import Iterator

from ingest.wire import WIRES
from ingest.wire.kinds import Attributes, Moment, Payload
from ingest.wire.wire import Field, Wire
from storage.dimensions import OTHER, Dimension
from storage.facts.fact import Append, Entity, Fact

_TIME = Moment().written("event.occurred_at")


def archive_lines(fact: Fact) -> str:
    """SQL for the events of a table, to be put in at `{table}`: a `line` of JSON for each.

    Sent again, each of them is a duplicate of the event it was made from.
    """
    wire = WIRES[fact.name]
    values = {
        "id": "event.event_id",
        "type": _type(wire),
        "time": _TIME,
        "project": "coalesce(projects.slug, event.project_id::text)",
        "externalId": "event.external_id",
    }
    if isinstance(fact, Entity):
        values |= {"source": "event.source", "durationMs": "event.duration_us / 1000.0"}
        values[wire.subject.name] = f"coalesce(state.external_id, event.{fact.id_column}::text)"
    values |= {field.name: field.kind.written(column) for field, column in _stored(wire)}
    values |= wire.archived.fields
    # Nulls inside of attributes are kept.
    whole = [name for name in values if isinstance(wire.named[name].kind, Attributes | Payload)]
    pairs = ", ".join(f"'{name}', {sql}" for name, sql in values.items() if name not in whole)
    objects = "".join(
        f"\n  || case when {values[name]} is null then '{{{{}}}}'"
        f" else jsonb_build_object('{name}', {values[name]}) end"
        for name in whole
    )
    joins = _joins(fact) + wire.archived.joins
    return (
        f"select (jsonb_strip_nulls(jsonb_build_object({pairs})){objects})::text as line\n"
        f"from {{table}} as event left join projects using (project_id)\n{joins}"
        "order by event.occurred_at, event.project_id, event.event_id"
    )


def _type(wire: Wire) -> str:
    if isinstance(wire.fact, Append):
        return f"'{wire.typed(0)}'"
    cases = " ".join(f"when {type_} then '{wire.typed(type_)}'" for type_ in wire.types)
    return f"case event.type {cases} end"


def _stored(wire: Wire) -> Iterator[tuple[Field, str]]:
    """The fields that fill a name or a column, with SQL for what was stored."""
    fact = wire.fact
    interned = {each.name for each in fact.dimensions if each.interned and isinstance(fact, Append)}
    for name in (*(each.name for each in fact.dimensions), *fact.columns):
        if field := wire.field_at.get(wire.places[name]):  # others are derived
            yield field, f"{name}_of.name" if name in interned else f"event.{name}"


def _joins(fact: Fact) -> str:
    """SQL for where else the names are: interned ones of append facts stand only in the series."""
    if isinstance(fact, Entity):
        return f"left join {fact.table.name} as state using (project_id, {fact.id_column})\n"
    series = fact.series.name
    return f"left join {series} as series using (project_id, series_id)\n" + "".join(
        _dictionary(each) for each in fact.dimensions if each.interned
    )


def _dictionary(dimension: Dimension) -> str:
    """SQL that joins the dictionary of a dimension; without a series its name is "other"."""
    key = dimension.column
    return (
        f"left join {dimension.dictionary.name} as {dimension.name}_of"
        f" on {dimension.name}_of.{key} = nullif(coalesce(series.{key}, {OTHER}), 0)\n"
    )
