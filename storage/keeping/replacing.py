"""SQL that replaces a user of a project in rows, batch by batch along the keys of tables."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import Column
from sqlalchemy.dialects.postgresql import JSONB

from storage.facts.content import Texts

BATCH = 5_000  # the rows that a statement reads
USER_KEY = "user_key"


class Place(NamedTuple):
    """A column that may name the user: SQL for its new value, and for whether it does."""

    column: str
    value: str
    test: str


# The parameters of each statement, after the project.
_PERSON = """with person as (
  select $2::text as user_id, $3::text as new_name, $4::text as quoted, $5::bigint as old_key,
    $6::bigint as new_key, $7::text as mark, $8::text as new_mark, $9::text as as_value)"""
_FIRST = 10  # the number of the next parameter


def whole(column: Column[Any]) -> Place:
    """A column whose whole value may be the user."""
    old, new = ("old_key", "new_key") if column.name == USER_KEY else ("user_id", "new_name")
    test = f"known.{column.name} = person.{old}"
    return Place(
        column.name, f"case when {test} then person.{new} else known.{column.name} end", test
    )


def within(column: Column[Any]) -> Place:
    """A text or JSON column that may have the user in it."""
    text, is_json = f"known.{column.name}::text", isinstance(column.type, JSONB)
    old = "person.quoted" if is_json else "person.user_id"
    value = f"replace({text}, {old}, person.new_name)" + ("::jsonb" if is_json else "")
    return Place(column.name, value, f"position({old} in {text}) > 0")


def in_texts(texts: Texts) -> list[Place]:
    """The columns of texts that may have the user, or what stands for the user, in them."""
    marked = (f"position(person.mark in {_text(column)}) > 0" for column in texts.columns)
    has_id = " or ".join(map(_has_id, texts.columns))
    test = f"({' or '.join(marked)} or {has_id})"
    found = [Place(column.name, _unnamed(column), test) for column in texts.columns]
    search = texts.search.name
    return [*found, Place(search, _WORDS.format(search=f"known.{search}", has_id=has_id), test)]


def _text(column: Column[Any]) -> str:
    return f"known.{column.name}::text"


def _has_id(column: Column[Any]) -> str:
    found = f"position({_old(column)} in {_text(column)}) > 0"
    if not isinstance(column.type, JSONB):
        return found
    # The expression is slow, and few texts have the id in them.
    is_there = f"position(person.user_id in {_text(column)}) > 0"
    return f"{found} or {is_there} and {_text(column)} ~ person.as_value"


def _unnamed(column: Column[Any]) -> str:
    text = f"replace({_text(column)}, person.mark, person.new_mark)"
    value = f"replace({text}, coalesce({_old(column)}, person.mark), person.new_name)"
    if not isinstance(column.type, JSONB):
        return value
    name = "'\\1\"' || person.new_name || '\"'"
    return f"regexp_replace({value}, person.as_value, {name}, 'g')::jsonb"


def _old(column: Column[Any]) -> str:
    """The id as a column has it; null if texts are not searched for it."""
    if isinstance(column.type, JSONB):
        return "person.quoted"
    return "case when person.quoted is not null then person.user_id end"


# The words of the id go from the search, whatever else they stood for in these texts. A word may be
# a whole path or address; it goes if a distinct id is in it.
_WORDS = """ts_delete(
  ts_delete({search}, tsvector_to_array(to_tsvector('simple', person.mark || case when {has_id} then
    ' ' || person.user_id || ' ' || regexp_replace(person.user_id, '[^[:alnum:]_]+', ' ', 'g')
    else '' end))),
  array(select word from unnest(tsvector_to_array({search})) as word
    where person.quoted is not null and position(lower(person.user_id) in word) > 0))"""


def end_of_batch(name: str, key: Sequence[str], later: bool) -> str:
    """SQL for the last key of a batch; no row if the batch is the last one."""
    columns = ", ".join(key)
    after = f" and {_compared(key, '>', 2)}" if later else ""
    return (
        f"select {columns} from {name} as known where project_id = $1{after}"
        f" order by {columns} offset {BATCH - 1} limit 1"
    )


def update_batch(
    name: str, key: Sequence[str], places: Sequence[Place], later: bool, more: bool
) -> str:
    """SQL that changes the rows of a batch, which may begin after a key and may end at one."""
    bounds = ["known.project_id = $1"]
    if later:
        bounds.append(_compared(key, ">", _FIRST))
    if more:
        bounds.append(_compared(key, "<=", _FIRST + later * len(key)))
    keys = ", ".join(f"known.{column}" for column in key)
    same = " and ".join(f"known.{column} = named.{column}" for column in key)
    return f"""{_PERSON},
named as (
  select {keys} from {name} as known, person
  where {" and ".join(bounds)} and ({_tests(places)}) order by {keys} for update of known)
update {name} as known set {_sets(places)} from person, named
where known.project_id = $1 and {same}"""


def _compared(key: Sequence[str], operator: str, first: int) -> str:
    given = ", ".join(f"${first + place}" for place in range(len(key)))
    return f"({', '.join(f'known.{column}' for column in key)}) {operator} ({given})"


def _tests(places: Sequence[Place]) -> str:
    return " or ".join(dict.fromkeys(place.test for place in places))


def _sets(places: Sequence[Place]) -> str:
    return ", ".join(f"{place.column} = {place.value}" for place in places)


# Registers, which are longer than any list of keys, do not tell users apart.
_HAS_USER = f"length(users) < 16384 and position(${_FIRST}::bytea in users) > 0"


def lock_fingerprints(places: Sequence[Place]) -> str:
    tests = " or ".join((_HAS_USER, *(place.test for place in places)))
    return f"""{_PERSON}
select known.fingerprint_id, known.users from error_fingerprints as known, person
where known.project_id = $1 and ({tests}) order by known.fingerprint_id for update of known"""


def update_fingerprints(places: Sequence[Place]) -> str:
    sets = ", ".join(("users = given.users", *([_sets(places)] if places else ())))
    return f"""{_PERSON}
update error_fingerprints as known set {sets}
from person, unnest(${_FIRST}::uuid[], ${_FIRST + 1}::bytea[]) as given(fingerprint_id, users)
where known.project_id = $1 and known.fingerprint_id = given.fingerprint_id"""
