"""Keeps the bodies of some occurrences: the first ones of a day, a sample of the rest, the last.

Of n occurrences of a fingerprint that come in one day, about FIRST · (1 + log2(n / FIRST) / 2)
bodies are stored, so that a flood of one error costs little.
"""

import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from operator import attrgetter, itemgetter
from typing import Any

from storage.connections.database import Connection
from storage.connections.query import columns_of
from storage.error_groups.occurrence import Occurrence
from storage.error_groups.tables import Kept
from storage.facts.content import Key

# This many bodies of a fingerprint are stored on each day before sampling begins.
FIRST = 20
# Their frames may be of minified scripts, for which source maps are uploaded by release.
_SCRIPTED = ("javascript", "node")


@dataclass(frozen=True, slots=True)
class Sampled:
    """How many occurrences of a fingerprint came on a day, before those that come now."""

    on: date | None
    of: int

    def on_day(self, today: date) -> int:
        return self.of if self.on == today else 0


async def keep(
    connection: Connection, new: Sequence[Occurrence], before: dict[Key, Sampled], today: date
) -> None:
    """Store the bodies of new occurrences that are to be kept; their fingerprints are locked."""
    by_key: defaultdict[Key, list[Occurrence]] = defaultdict(list)
    for each in new:
        by_key[each.key].append(each)
    newest = {key: max(of_key, key=attrgetter("position")) for key, of_key in by_key.items()}
    replaced = [(*key, *last.position) for key, last in newest.items()]
    later = await connection.fetch(_REPLACE, *columns_of(sorted(replaced)))
    for row in later:  # what is stored as the last is later
        del newest[row["project_id"], row["fingerprint_id"]]
    rows: list[tuple[Any, ...]] = [
        _row(each, kept)
        for key, of_key in by_key.items()
        for each, kept in _chosen(of_key, before[key].on_day(today), newest.get(key))
    ]
    if rows:
        rows.sort(key=itemgetter(0, 1, 2))
        await connection.execute(_STORE, *columns_of(rows))


def _chosen(
    of_key: Sequence[Occurrence], number: int, newest: Occurrence | None
) -> Iterator[tuple[Occurrence, Kept]]:
    for each in of_key:
        if _is_sampled(number):
            yield each, Kept.SAMPLE
        elif each is newest:
            yield each, Kept.LAST
        number += 1


def _is_sampled(number: int) -> bool:
    """Whether to keep for good the body of a day's occurrence of this number, from 0.

    Chance decides: by their ids, a sender could choose which bodies fill the disk.
    """
    level = (number // FIRST).bit_length()
    return random.getrandbits(level) == 0


def _row(occurrence: Occurrence, kept: Kept) -> tuple[Any, ...]:
    about = occurrence.about
    place = (occurrence.project_id, occurrence.occurred_at, occurrence.event_id)
    has_scripts = bool(occurrence.release) and about.platform in _SCRIPTED
    return (*place, occurrence.fingerprint_id, int(kept), about.body, about.search, has_scripts)


# Removes the body that was the last until now; returns the keys of which a later one is stored.
_REPLACE = """
with given as (
  select * from unnest($1::bigint[], $2::uuid[], $3::timestamptz[], $4::uuid[])
    as given(project_id, fingerprint_id, at, event_id)),
earlier as (
  delete from error_bodies as body using given
  where body.project_id = given.project_id and body.fingerprint_id = given.fingerprint_id
    and body.kept = 1 and (body.occurred_at, body.event_id) < (given.at, given.event_id))
select given.project_id, given.fingerprint_id from given join error_bodies as body
  on body.project_id = given.project_id and body.fingerprint_id = given.fingerprint_id
    and body.kept = 1 and (body.occurred_at, body.event_id) > (given.at, given.event_id)
"""

_STORE = """
insert into error_bodies
  (project_id, occurred_at, event_id, fingerprint_id, kept, body, search, maps_after)
select project_id, occurred_at, event_id, fingerprint_id, kept, body::jsonb,
  to_tsvector('simple', search), case when has_scripts then timestamptz '-infinity' end
from unnest($1::bigint[], $2::timestamptz[], $3::uuid[], $4::uuid[], $5::smallint[], $6::text[],
  $7::text[], $8::boolean[])
  as given(project_id, occurred_at, event_id, fingerprint_id, kept, body, search, has_scripts)
on conflict do nothing
"""
