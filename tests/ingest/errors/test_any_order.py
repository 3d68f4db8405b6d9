"""Any order, repetition and splitting of error events gives the same errors, counts and states."""

import random
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from ingest.events import EventStatus
from ingest.intake import Intake
from storage.connections.database import Database
from storage.error_groups.bodies import FIRST
from storage.error_groups.merging import merge, unmerge
from storage.error_groups.releases import is_older
from storage.error_groups.tables import ErrorStatus, Facet, Kept
from tests.ingest.arrivals import START, outcomes, parts, record_all, some_examples
from tests.ingest.errors.stories import (
    FAILURES,
    Occurred,
    counts_of,
    errors_of,
    facets_of,
    some_occurrences,
)
from tests.ingest.strategies import shuffled

PROJECTS = count()
chances = st.randoms(use_true_random=False)
# What fails is not made smaller: that takes minutes and tells little more.
some_examples = settings(some_examples, phases=(Phase.generate,))
# Occurrences until then are recorded before people decide.
DECIDED_AT = START + timedelta(seconds=90)


async def rows_of(database: Database, table: str, project: str) -> list[dict[str, Any]]:
    async with database.connection() as connection:
        rows = await connection.fetch(
            f"select * from {table} join projects using (project_id) where slug = $1", project
        )
    return [dict(row) for row in rows]


async def failures_of(
    database: Database, project: str, occurred: Iterable[Occurred]
) -> dict[UUID, str]:
    """The failure of each fingerprint. Raises AssertionError if they are not one to one."""
    name = {each.position[1]: each.failure for each in occurred}
    rows = await rows_of(database, "error_occurrences", project)
    pairs = {(row["fingerprint_id"], name[row["event_id"]]) for row in rows}
    assert len(pairs) == len({pair[0] for pair in pairs}) == len({pair[1] for pair in pairs})
    return dict(pairs)


async def record(
    intakes: list[Intake], occurred: Iterable[Occurred], chance: random.Random
) -> None:
    given_events = [each.given for each in occurred]
    arrivals = shuffled(chance, given_events, repeats=8) if given_events else []
    results = await record_all(intakes, arrivals, chance)
    assert outcomes(results).count(EventStatus.ACCEPTED) == len(given_events)
    assert outcomes(results).count(EventStatus.DUPLICATE) == len(arrivals) - len(given_events)


async def assert_stored(
    database: Database, project: str, occurred: list[Occurred]
) -> Mapping[str, dict[str, Any]]:
    """Compares all that is stored with a count by hand; returns the errors by failure."""
    failures = await failures_of(database, project, occurred)
    errors = {failures[row["error_id"]]: row for row in await rows_of(database, "errors", project)}
    wanted = errors_of(occurred)
    assert {
        name: {key: errors[name][key] for key in fields} for name, fields in wanted.items()
    } == wanted
    assert errors.keys() == wanted.keys()
    await assert_counted(database, project, occurred, failures)
    await assert_bodies(database, project, failures, wanted)
    return errors


async def assert_counted(
    database: Database, project: str, occurred: list[Occurred], failures: Mapping[UUID, str]
) -> None:
    fingerprints = await rows_of(database, "error_fingerprints", project)
    wanted = errors_of(occurred)
    for row in fingerprints:
        of_failure = wanted[failures[row["fingerprint_id"]]]
        for name in ("first_at", "last_at", "occurrences"):
            assert row[name] == of_failure[name]
    for unit in ("hour", "day"):
        assert await counted(database, project, unit, failures) == counts_of(occurred, unit)
    facets = {
        (failures[row["fingerprint_id"]], Facet(row["facet"]), row["value"]): (
            row["occurrences"],
            row["first_at"],
            row["last_at"],
        )
        for row in await rows_of(database, "error_facets", project)
    }
    assert facets == facets_of(occurred)
    releases = {
        row["release"]: row["first_at"] for row in await rows_of(database, "releases", project)
    }
    seen: dict[str, datetime] = {}
    for each in occurred:
        if release := each.given.get("release"):
            seen[release] = min(each.at, seen.get(release, each.at))
    assert releases == seen


async def counted(
    database: Database, project: str, unit: str, failures: Mapping[UUID, str]
) -> Counter[tuple[Any, ...]]:
    statement = f"""
    select fingerprint_id, bucket, nullif(error_types.name, ''), severities.name,
      nullif(environments.name, ''), occurrences
    from error_{unit}s join projects using (project_id)
      join error_occurrence_series using (project_id, series_id)
      left join error_types using (error_type_id)
      left join severities using (severity_id)
      left join environments using (environment_id)
    where projects.slug = $1
    """
    async with database.connection() as connection:
        rows = await connection.fetch(statement, project)
    found: Counter[tuple[Any, ...]] = Counter()
    for row in rows:
        fingerprint, *key, occurrences = tuple(row)
        found[failures[fingerprint], *key] += occurrences
    return found


async def assert_bodies(
    database: Database,
    project: str,
    failures: Mapping[UUID, str],
    wanted: Mapping[str, dict[str, Any]],
) -> None:
    """Few occurrences are all kept; of many, at least the first to come and the last."""
    bodies = await rows_of(database, "error_bodies", project)
    for name, fields in wanted.items():
        kept = [row for row in bodies if failures[row["fingerprint_id"]] == name]
        assert fields["last_event_id"] in {row["event_id"] for row in kept}
        assert len(kept) >= min(fields["occurrences"], FIRST)
        assert [row["kept"] for row in kept].count(Kept.LAST) <= 1


@given(chances)
@some_examples
async def test_any_order_repetition_and_splitting_gives_the_same_errors(
    intakes: list[Intake], database: Database, chance: random.Random
) -> None:
    project = f"errors-{next(PROJECTS)}"
    occurred = some_occurrences(chance, chance.choice((40, 200)), project=project, start=START)
    await record(intakes, occurred, chance)
    errors = await assert_stored(database, project, occurred)
    assert {row["status"] for row in errors.values()} == {ErrorStatus.OPEN}


def merged_of(links: Mapping[str, str]) -> dict[str, str]:
    """The failure at the root of each failure's tree."""

    def root(name: str) -> str:
        return root(links[name]) if name in links else name

    return {name: root(name) for name in FAILURES}


@given(chances)
@some_examples
async def test_merging_at_any_point_gives_the_same_as_at_the_end(
    intakes: list[Intake], database: Database, chance: random.Random
) -> None:
    project = f"merged-{next(PROJECTS)}"
    occurred = some_occurrences(chance, 40, project=project, start=START)
    links: dict[str, str] = {}
    recorded: list[Occurred] = []
    for part in parts(occurred, chance):
        await record(intakes, part, chance)
        recorded += part
        ids = {name: key for key, name in (await failures_of(database, project, recorded)).items()}
        await change_links(database, project, ids, links, chance)
    roots = merged_of(links)
    together = [replace(each, failure=roots[each.failure]) for each in occurred]
    names = {ids[name]: name for name in ids}
    errors = {names[row["error_id"]]: row for row in await rows_of(database, "errors", project)}
    for name, wanted in errors_of(together).items():
        assert {key: errors[name][key] for key in wanted} == wanted
    for name, row in errors.items():
        assert (row["merged_into"] is not None) == (name in links)
        assert row["status"] == (ErrorStatus.MERGED if name in links else ErrorStatus.OPEN)


async def change_links(
    database: Database,
    project: str,
    ids: Mapping[str, UUID],
    links: dict[str, str],
    chance: random.Random,
) -> None:
    """Merges an error into another one, or takes one out again."""
    name, other = chance.choice([*ids]), chance.choice([*ids])
    async with database.transaction() as connection:
        project_id = await connection.fetchval(
            "select project_id from projects where slug = $1", project
        )
        if name in links:
            root = merged_of(links)[name]
            del links[name]
            changed = await unmerge(connection, project_id, ids[name])
            assert changed == {(project_id, ids[name]), (project_id, ids[root])}
        elif name == other or other in links:
            assert not await merge(connection, project_id, [ids[name]], ids[other])
        else:
            links[name] = other
            changed = await merge(connection, project_id, [ids[name]], ids[other])
            assert changed == {(project_id, ids[name]), (project_id, ids[other])}


async def decide(
    database: Database, project: str, chance: random.Random, until: int
) -> dict[UUID, dict[str, Any]]:
    """Decides on each error of a project by chance; returns the decisions."""
    decisions = {}
    for row in await rows_of(database, "errors", project):
        decision = chance.choice((None, ErrorStatus.RESOLVED, ErrorStatus.IGNORED))
        fields: dict[str, Any] = {"decision": decision or 0, "status": decision or 0}
        if decision is ErrorStatus.RESOLVED:
            fields["resolved_in"] = chance.choice((None, "1.1.0", "1.2.0"))
        if decision is ErrorStatus.IGNORED:
            fields["ignored_count"] = chance.choice((None, row["occurrences"] + until))
            fields["ignored_release"] = chance.choice((None, "1.1.0"))
        fields["decided_at"] = DECIDED_AT
        decisions[row["error_id"]] = fields
        names = ", ".join(f"{name} = ${place}" for place, name in enumerate(fields, start=2))
        async with database.connection() as connection:
            await connection.execute(
                f"update errors set {names} where error_id = $1", row["error_id"], *fields.values()
            )
    return decisions


def expected_status(
    decision: Mapping[str, Any], later: list[Occurred], occurrences: int
) -> tuple[ErrorStatus, datetime | None]:
    """The status after the later occurrences, and when the error came back after a resolution."""
    if decision["decision"] == ErrorStatus.RESOLVED:
        fixed_in = decision["resolved_in"]
        back = [each for each in later if each.at > DECIDED_AT and not _is_before(each, fixed_in)]
        return (
            (ErrorStatus.OPEN, min(back, key=lambda each: each.position).at)
            if back
            else (ErrorStatus.RESOLVED, None)
        )
    if decision["decision"] == ErrorStatus.IGNORED:
        count_, release = decision["ignored_count"], decision["ignored_release"]
        newer = any(
            (given_release := each.given.get("release")) and is_older(release, given_release, {})
            for each in later
            if release
        )
        over = (count_ is not None and occurrences > count_) or newer
        return (ErrorStatus.OPEN if over else ErrorStatus.IGNORED), None
    return ErrorStatus.OPEN, None


def _is_before(occurred: Occurred, release: str | None) -> bool:
    own = occurred.given.get("release")
    return bool(release and own and is_older(own, release, {}))


@given(chances, st.integers(0, 5))
@some_examples
async def test_any_order_gives_the_same_states_after_a_decision(
    intakes: list[Intake], database: Database, chance: random.Random, until: int
) -> None:
    project = f"states-{next(PROJECTS)}"
    before = some_occurrences(chance, 15, project=project, start=START, minutes=1)
    known = {each.position[1] for each in before}
    later = some_occurrences(chance, 25, project=project, start=START)
    later = [each for each in later if each.position[1] not in known]
    await record(intakes, before, chance)
    decisions = await decide(database, project, chance, until)
    await record(intakes, later, chance)
    errors = await assert_stored(database, project, [*before, *later])
    for name, row in errors.items():
        decision = decisions.get(row["error_id"], {"decision": ErrorStatus.OPEN})
        of_error = [each for each in later if each.failure == name]
        status, back_at = expected_status(decision, of_error, row["occurrences"])
        assert (row["status"], row["regressed_at"]) == (status, back_at)
        assert row["regressions"] == (back_at is not None)
