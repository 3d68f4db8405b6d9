"""An erased user is in no row and no archive of the project any more, and every count stays."""

import gzip
import itertools
import sys
from collections import Counter
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import process_time
from typing import Any

import orjson
import pytest

from access.viewers import Role, Viewer
from ingest.errors.people import person_of
from ingest.intake import Intake
from ingest.normaliser import TimeWindow
from ingest.wire.archiving import archive_lines
from storage.connections.database import Database
from storage.dictionaries import Dictionaries
from storage.error_groups.users import EXACT_AT_MOST
from storage.errors import Conflict
from storage.facts import FACTS
from storage.keeping import erasure, replacing
from storage.keeping.archive import Archive
from storage.keeping.leases import lease
from storage.keeping.retention import LEASE, enforce
from storage.keeping.windows import Retention
from tests.storage.states import differences

NOW = datetime(2031, 7, 16, 12, 30, tzinfo=UTC)
ADMIN = Viewer("admin", frozenset({Role.ADMIN}), frozenset())
USER, OTHER = "customer-8812", "customer-8813"
CASE = {"project": "shop", "environment": "production"}


def events(user: str, project: str = "shop", days_ago: float = 1.0) -> list[dict[str, Any]]:
    """One of each fact that a user may be named in."""
    at = (NOW - timedelta(days=days_ago)).isoformat()
    told = CASE | {"project": project, "time": at}
    name = f"{project}-{days_ago}-{user[-1]}"
    failed = {"actor": user, "error": f"no right for {user}", "attributes": {"by": [user]}}
    return [
        told | {"type": "deployment.queued", "deployment": name, "actor": user},
        told | {"type": "deployment.failed", "deployment": name} | failed,
        told | {"type": "build.failed", "build": name, "error": f"no right for {user}"},
        told
        | {"type": "api.call", "id": name, "method": "GET", "endpoint": "/", "status": 200}
        | {"durationMs": 3, "user": user, "actor": user},
        told | {"type": "error.occurred", "id": f"e{name}", "message": "no cart", "user": user},
        told | {"type": "error.occurred", "id": f"m{name}", "message": f"{user} is unknown"},
        told
        | {"type": "log.line", "id": f"l{name}", "message": f"{user} signed in"}
        | {"fields": {"who": [user], "user": user}},
    ]


@pytest.fixture
async def recorded(own_database: Database) -> Database:
    intake = Intake(own_database, Dictionaries(own_database), lambda: NOW)
    await intake.start()
    for user, project in ((USER, "shop"), (OTHER, "shop"), (USER, "blog")):
        for days in (1.0, 140.0):
            sent = events(user, project, days)
            results = await intake.record(sent, ADMIN, TimeWindow(None, None))
            assert {result.status for result in results} == {"accepted"}, results
    await intake.stop()
    async with own_database.transaction() as connection:
        await connection.execute(
            "insert into error_comments select project_id, error_id, error_id, $1,"
            " 'ask ' || $1 || ' again', now() from errors",
            USER,
        )
        await connection.execute("update errors set assigned_to = $1, decided_by = $1", USER)
        await connection.execute(
            "insert into project_members select project_id, $1, null, 'member', 'admin', 'admin',"
            " now() from projects",
            USER,
        )
        await connection.execute(
            "insert into kept_panels select project_id, gen_random_uuid(), 1, 'of ' || $1::text,"
            " '{}', $1, now() from projects",
            USER,
        )
        for table, values in ALERTS.items():
            await connection.execute(
                f"insert into {table} select {values} from projects where $1::text <> ''", USER
            )
    return own_database


# What names the user in the rows of alerts, of each project; $1 is the id.
_EVIDENCE = "jsonb_build_object('subject', jsonb_build_object('title', $1::text || ' is unknown'))"
_LABELS = "jsonb_build_object('environment', $1::text)"
_BOTH_TIMES = "now(), $1, now(), $1"
ALERTS = {
    "alert_rules": f"gen_random_uuid(), project_id, 'r', true, '{{}}', 1, {_BOTH_TIMES}, null",
    "alert_channels": "gen_random_uuid(), project_id, 'c', 'in_app', true, '{}', '{}', 60, "
    + _BOTH_TIMES,
    "alert_silences": "gen_random_uuid(), project_id, '[]', now(), now(), false, null, '', now(),"
    " $1, now(), $1",
    "alert_events": "gen_random_uuid(), gen_random_uuid(), '', project_id, null, 'firing', now(),"
    f" 1, 'info', {_LABELS}, {_EVIDENCE}, $1",
    "alert_instances": f"gen_random_uuid(), '', project_id, {_LABELS}, 2::smallint, now(), null,"
    f" 0::smallint, null, '[]', false, null, null, null, {_EVIDENCE}, now(), $1",
    "alert_sends": "gen_random_uuid(), project_id, gen_random_uuid(), 'g', '[]',"
    f" {_EVIDENCE}, 'sent', null, 1, now(), null, null",
}


def marks_of(person: erasure.Person) -> tuple[str, ...]:
    """What names the user: the id, and its hash as a number, a text and bytes."""
    in_bytes = person.key.to_bytes(8, sys.byteorder, signed=True).hex()
    return person.user_id, person.mark, str(person.key), in_bytes


async def rows_naming(database: Database, *texts: str, project_id: int) -> dict[str, int]:
    """In how many rows of a project a text is, by table; every table is read."""
    found = {}
    async with database.connection() as connection:
        tables = await connection.fetch(
            "select c.relname from pg_class c join pg_attribute a on a.attrelid = c.oid"
            " where a.attname = 'project_id' and relkind in ('r', 'p') and not relispartition"
            " and relnamespace = current_schema()::regnamespace"
        )
        for (table,) in tables:
            number = await connection.fetchval(
                f"select count(*) from {table} as row where project_id = $1 and exists ("
                "select from unnest($2::text[]) as text where position(text in row::text) > 0)",
                project_id,
                [*texts, *(text.encode().hex() for text in texts)],
            )
            if number:
                found[table] = number
    return found


async def shop(database: Database) -> erasure.Person:
    project_id = (await Dictionaries(database).project_ids(["shop"]))["shop"]
    return person_of(project_id, "shop", USER)


async def numbers(database: Database) -> list[tuple[Any, ...]]:
    async with database.connection() as connection:
        rows = await connection.fetch(
            "select error_id, occurrences, user_count from errors order by project_id, error_id"
        )
        counts = [
            (fact, await connection.fetchval(f"select count(*) from {FACTS[fact].events.name}"))
            for fact in FACTS
        ]
        users = await connection.fetchval("select count(distinct user_key) from error_occurrences")
    return [*map(tuple, rows), *counts, ("users", users)]


async def test_the_user_is_nowhere_and_counts_stay(recorded: Database) -> None:
    person, before = await shop(recorded), await numbers(recorded)
    others = await rows_naming(recorded, OTHER, project_id=person.project_id)
    marks = marks_of(person)
    named_before = await rows_naming(recorded, *marks, project_id=person.project_id)
    report = await erasure.erase(recorded, person, None)
    assert report.rows == named_before
    assert not await rows_naming(recorded, *marks, project_id=person.project_id)
    assert await rows_naming(recorded, OTHER, project_id=person.project_id) == others
    assert await numbers(recorded) == before
    named = {"deployments", "deployment_events", "builds", "build_events", "api_calls"}
    named |= {
        "error_occurrences",
        "error_bodies",
        "errors",
        "error_comments",
        "project_members",
        "kept_panels",
        "log_texts",
        *ALERTS,
    }
    assert report.rows.keys() >= named
    async with recorded.connection() as connection:
        for fact in FACTS.values():
            for days in (1.0, 140.0):
                at = NOW - timedelta(days=days)
                floors = Retention().floors(NOW)
                assert not await differences(connection, at, floors, fact)


async def test_the_history_of_alerts_and_mails_forget_the_user(recorded: Database) -> None:
    person = await shop(recorded)
    async with recorded.transaction() as connection:
        await connection.execute(
            "insert into alert_revisions select rule_id, 1, 'created', '{}', now(), $1"
            " from alert_rules",
            USER,
        )
        await connection.execute("insert into alert_reads values ($1, now())", USER)
        await connection.execute("update project_members set email = 'Ann@Example.com'")
        for name, to, owners in (
            ("both", ["ann@example.com", "ops@example.com"], False),
            ("alone", ["ann@example.com"], False),
            ("owners", ["ANN@example.com"], True),
            ("text", "ops@example.com, ann@example.com", False),
            ("others", ["joann@example.com"], False),
        ):
            await connection.execute(
                "insert into alert_channels select gen_random_uuid(), project_id, $1, 'email',"
                " true, $2, '{}', 60, now(), '', now(), '' from projects",
                *(name, {"to": to, "owners": owners}),
            )
    report = await erasure.erase(recorded, person, None)
    assert (report.rows["alert_channels"], report.rows["alert_revisions"]) == (5, 1)
    async with recorded.connection() as connection:
        rows = await connection.fetch(
            "select name, settings -> 'to' as receivers, enabled from alert_channels"
            " where kind = 'email' and project_id = $1",
            person.project_id,
        )
        by = await connection.fetch("select changed_by = $1 from alert_revisions", USER)
        others = "select count(*) from alert_channels where settings::text ilike '%\"ann@%'"
        kept = await connection.fetchval(others)
        read = await connection.fetchval("select count(*) from alert_reads")
    assert {row["name"]: (row["receivers"], row["enabled"]) for row in rows} == {
        "both": (["ops@example.com"], True),
        "alone": ([], False),
        "owners": ([], True),
        "text": (["ops@example.com"], True),
        "others": (["joann@example.com"], True),
    }
    assert sorted(row[0] for row in by) == [False, True], "of another project they stay"
    assert (kept, read) == (3, 1)


async def test_what_is_told_of_alerts_names_the_user_where_it_must(recorded: Database) -> None:
    """What receivers answered and comments change; what selects or names something is counted."""
    person = await shop(recorded)
    about = {"name": f"{USER} fails", "trigger": {"filter": {"environment": [USER]}}, "labels": {}}
    async with recorded.transaction() as connection:
        await connection.execute(
            "update project_members set email = 'Ann@Example.com' where project_id = $1",
            person.project_id,
        )
        for detail in ("550 <ann@example.com> is full", f"no {USER}", "250 joe@example.com"):
            await connection.execute(
                "insert into alert_attempts select send_id, 1 + (select count(*) from"
                " alert_attempts as known where known.send_id = sends.send_id), now(), 'sent', $1"
                " from alert_sends as sends",
                detail,
            )
        await connection.execute(
            "update alert_sends set reason = '550 <ann@example.com> unknown'"
            " where send_id = (select send_id from alert_sends where project_id = $1 limit 1)",
            person.project_id,
        )
        await connection.execute("update alert_rules set document = $1", about)
        await connection.execute(
            "insert into alert_revisions select rule_id, number, 'changed',"
            " jsonb_build_object('name', number || $1::text), now(), 'x'"
            " from alert_rules, generate_series(1, 2) as number",
            USER,
        )
        await connection.execute(
            "update alert_silences set comment = 'for ' || $1::text,"
            " matchers = jsonb_build_array(jsonb_build_object('label', 'team', 'value', $1::text))",
            USER,
        )
        await connection.execute("update alert_channels set name = 'mail of ' || $1::text", USER)
        await connection.execute("update kept_panels set question = $1", {"names": [USER, "x"]})
    report = await erasure.erase(recorded, person, None)
    assert report.kept_in_names == {
        "alert_rule": 4,
        "silence": 1,
        "notification_channel": 1,
        "kept_panel": 1,
    }
    assert report.rows["alert_attempts"] == 2
    query = """
    select array(select detail from alert_attempts join alert_sends using (send_id)
        where project_id = projects.project_id order by attempt) as details,
      (select comment from alert_silences where project_id = projects.project_id) as comment
    from projects where project_id = $1"""
    async with recorded.connection() as connection:
        details, comment = await connection.fetchrow(query, person.project_id)
        named = "select count(*) from alert_attempts where detail like '%' || $1::text"
        assert await connection.fetchval(named, USER) == 1, "of another project it stays"
        reasons = "select reason from alert_sends where project_id = $1 and reason is not null"
        assert (await connection.fetchval(reasons, person.project_id)).startswith("erased-")
    assert details[2] == "250 joe@example.com"
    assert all(detail.startswith("erased-") for detail in details[:2])
    assert comment.startswith("for erased-")


async def test_a_second_time_finds_nothing(recorded: Database) -> None:
    person = await shop(recorded)
    await erasure.erase(recorded, person, None)
    report = await erasure.erase(recorded, person, None)
    assert (report.rows, report.lines) == ({}, {})


async def test_it_goes_on_after_a_crash(
    recorded: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    person, before = await shop(recorded), await numbers(recorded)
    marks = marks_of(person)
    named = await rows_naming(recorded, *marks, project_id=person.project_id)
    monkeypatch.setattr(replacing, "BATCH", 1)
    done: Counter[str] = Counter()
    for steps in itertools.count(2, 23):
        report, batches = erasure.Report(), itertools.count()

        def next_batch(*given: Any, most: int = steps, numbers: Any = batches) -> str:
            if next(numbers) == most:
                raise ConnectionError("the database is away")
            return replacing.end_of_batch(*given)

        with monkeypatch.context() as patched:
            patched.setattr(erasure, "Report", lambda report=report: report)
            patched.setattr(erasure, "end_of_batch", next_batch)
            with suppress(ConnectionError):
                await erasure.erase(recorded, person, None)
                break
        done.update(report.rows)
        assert (await numbers(recorded))[:-1] == before[:-1]  # what is left gets another name
    done.update(report.rows)
    assert done == named
    assert not await rows_naming(recorded, *marks, project_id=person.project_id)


async def test_the_same_user_of_another_project_stays(recorded: Database) -> None:
    blog = (await Dictionaries(recorded).project_ids(["blog"]))["blog"]
    before = await rows_naming(recorded, USER, project_id=blog)
    await erasure.erase(recorded, await shop(recorded), None)
    assert await rows_naming(recorded, USER, project_id=blog) == before


async def test_archives_are_rewritten(
    recorded: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = Archive(tmp_path, archive_lines)
    await enforce(recorded, Retention(), NOW, holder="a", archive=archive)

    def lines() -> list[str]:
        texts = (gzip.decompress(path.read_bytes()).decode() for path in tmp_path.glob("*.gz"))
        return [line for text in texts for line in text.splitlines()]

    def folder() -> list[Path]:
        return list(tmp_path.iterdir())

    before, files = lines(), len(folder())
    assert [line for line in before if USER in line and '"shop"' in line]
    person = await shop(recorded)
    (tmp_path / "log_lines_203102.1.part").write_bytes(b"half a file that a crash left")
    with monkeypatch.context() as patched:
        patched.setattr("storage.keeping.erasure.os.fsync", _fail)
        with pytest.raises(OSError, match="disk"):
            await erasure.erase(recorded, person, tmp_path)
    assert sorted(lines()) == sorted(before), "a crash leaves whole files"
    report = await erasure.erase(recorded, person, tmp_path)
    after = lines()
    assert len(after) == len(before)
    assert not [line for line in after if USER in line and '"shop"' in line]
    assert [line for line in after if USER in line and '"blog"' in line]
    assert sum(report.lines.values()) >= 4
    assert not (await erasure.erase(recorded, person, tmp_path)).lines
    assert len(folder()) == files


def _fail(_descriptor: int) -> None:
    raise OSError("the disk is full")


async def test_it_waits_for_retention(recorded: Database) -> None:
    async with recorded.transaction() as connection:
        await lease(connection, LEASE, "worker", 60)
    with pytest.raises(Conflict, match="try again"):
        await erasure.erase(recorded, await shop(recorded), None)


async def test_a_short_id_is_replaced_where_it_stands_alone(own_database: Database) -> None:
    intake = Intake(own_database, Dictionaries(own_database), lambda: NOW)
    await intake.start()
    failed = {
        "type": "deployment.failed",
        "deployment": "d",
        "actor": "7",
        "error": "7 of 9 failed",
    }
    await intake.record([CASE | failed | {"time": NOW.isoformat()}], ADMIN)
    await intake.stop()
    project_id = (await Dictionaries(own_database).project_ids(["shop"]))["shop"]
    await erasure.erase(own_database, person_of(project_id, "shop", "7"), None)
    async with own_database.connection() as connection:
        row = await connection.fetchrow("select actor, error from deployments")
    assert row["actor"].startswith("erased-")
    assert row["error"] == "7 of 9 failed"


FIELDS: list[dict[str, Any]] = [
    {"userId": "4711", "order": "4711", "attempts": 4711},
    {"user": {"id": 4711, "plan": "free"}},
    {"enduser.id": "4711"},
    {"userId": 4711, "payload": '{"user": 4711, "users": "4711"}', "users": "4711, 4712"},
]


async def test_a_short_id_is_replaced_where_fields_call_it_a_user(
    own_database: Database, tmp_path: Path
) -> None:
    intake = Intake(own_database, Dictionaries(own_database), lambda: NOW)
    await intake.start()
    line = CASE | {"type": "log.line", "time": (NOW - timedelta(days=140)).isoformat()}
    given = [*FIELDS, {"userId": "47110"}, {"user": {"id": "14711"}}]
    sent = [line | {"id": f"l{n}", "message": "ok", "fields": each} for n, each in enumerate(given)]
    await intake.record(sent, ADMIN, TimeWindow(None, None))
    await intake.stop()
    project_id = (await Dictionaries(own_database).project_ids(["shop"]))["shop"]
    person = person_of(project_id, "shop", "4711")

    def expected(name: str) -> list[dict[str, Any]]:
        first = {"userId": name, "order": "4711", "attempts": 4711}
        second = {"user": {"id": name, "plan": "free"}}
        with_texts = FIELDS[3] | {"userId": name}
        return [first, second, {"enduser.id": name}, with_texts, *given[len(FIELDS) :]]

    archived = tmp_path / "lines.ndjson.gz"
    archived.write_bytes(gzip.compress(b"".join(orjson.dumps(each) + b"\n" for each in sent)))
    report = await erasure.erase(own_database, person, tmp_path)
    assert report.rows == {"log_texts": len(FIELDS)}
    assert report.lines == {archived.name: len(FIELDS)}
    lines = gzip.decompress(archived.read_bytes()).splitlines()
    left = [orjson.loads(each)["fields"] for each in lines]
    assert left == expected(left[0]["userId"])
    assert left[0]["userId"].startswith("erased-")
    async with own_database.connection() as connection:
        rows = await connection.fetch("select fields, search @@ '4711' as found from log_texts")
    fields = [row["fields"] for row in rows]
    (name,) = (each["enduser.id"] for each in fields if "enduser.id" in each)
    assert len(fields) == len(sent)
    assert all(each in fields for each in expected(name))
    assert not any(row["found"] for row in rows)
    assert not (await erasure.erase(own_database, person, tmp_path)).rows


async def test_long_texts_without_the_id_are_not_searched(
    own_database: Database, tmp_path: Path
) -> None:
    line = {"type": "log.line", "project": "shop", "user": "4711", "message": "user " * 20_000}
    archived = tmp_path / "lines.ndjson.gz"
    archived.write_bytes(gzip.compress(orjson.dumps(line) + b"\n"))
    started = process_time()
    report = await erasure.erase(own_database, person_of(1, "shop", "4711"), tmp_path)
    assert report.lines == {archived.name: 1}
    assert process_time() - started < 1.0


async def test_an_id_within_a_word_is_not_found_any_more(own_database: Database) -> None:
    intake = Intake(own_database, Dictionaries(own_database), lambda: NOW)
    await intake.start()
    line = CASE | {"type": "log.line", "time": NOW.isoformat(), "id": "l"}
    text = f"GET /users/{USER}/orders https://shop.example/{USER}/a?by={USER}"
    await intake.record([line | {"message": text}], ADMIN)
    await intake.stop()
    person = await shop(own_database)
    await erasure.erase(own_database, person, None)
    async with own_database.connection() as connection:
        (words,) = await connection.fetchrow("select tsvector_to_array(search) from log_texts")
    assert not [word for word in words if "8812" in word]
    assert "get" in words
    assert f"p={person.project_id}" in words


def named(id: str) -> list[dict[str, Any]]:
    """Events with an id in names, as the value of a label, and nowhere else."""
    return [
        {"type": "api.call", "endpoint": f"/users/{id}", "method": "GET", "status": 200},
        {"type": "api.call", "endpoint": f"/users/{id}/orders", "method": "GET", "status": 200},
        {"type": "function.invoked", "function": f"greet-{id}"},
        {"type": "error.occurred", "message": "no cart", "function": f"greet-{id}"},
        {"type": "error.occurred", "message": "no cart", "function": f"pay-{id}"},
        {"type": "model.call", "model": f"tuned-for-{id}"},
        {"type": "metric.sample", "metric": "carts", "value": 1, "labels": {"userId": id}},
        {"type": "metric.sample", "metric": "carts", "value": 1, "labels": {"order": id}},
        {"type": "metric.sample", "metric": "carts", "value": 1, "labels": {"userId": f"{id}0"}},
        {"type": "log.line", "message": "ok", "logger": f"users.{id}", "release": f"shop@{id}"},
        {"type": "deployment.queued", "deployment": "d", "environment": id, "network": f"n-{id}"},
    ]


KEPT = {"endpoint": 2, "function": 2, "model": 1, "label_set": 3, "logger": 1, "release": 1}
KEPT |= {"environment": 1, "network": 1}


@pytest.mark.parametrize(
    ("id", "kept"), [(USER, KEPT), ("4711", {"environment": 1, "label_set": 1}), ("gone-9941", {})]
)
async def test_names_that_keep_the_id_are_counted(
    own_database: Database, id: str, kept: dict[str, int]
) -> None:
    intake = Intake(own_database, Dictionaries(own_database), lambda: NOW)
    await intake.start()
    told = {"environment": "production", "time": NOW.isoformat()}
    for project, user in (("shop", USER), ("shop", "4711"), ("blog", OTHER), ("blog", USER)):
        sent = [
            told | {"id": f"{project}-{user}-{n}", "project": project} | each
            for n, each in enumerate(named(user))
        ]
        results = await intake.record(sent, ADMIN)
        assert {result.status for result in results} == {"accepted"}, results
    await intake.stop()
    project_id = (await Dictionaries(own_database).project_ids(["shop"]))["shop"]
    report = await erasure.erase(own_database, person_of(project_id, "shop", id), None)
    assert report.kept_in_names == kept


def test_sketches_keep_their_number_of_users() -> None:
    from storage.error_groups.users import number_of, renamed, with_users

    few = with_users(None, range(10))
    assert few is not None
    assert number_of(renamed(few, 3, 77)) == 10
    assert renamed(few, 11, 77) == few
    many = with_users(None, range(EXACT_AT_MOST + 1))
    assert many is not None
    assert renamed(many, 3, 77) == many
