"""A minute of storm over two gateways, and the one case that was wrong without any load."""

import random
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from access.viewers import Role
from schema.names import stats_name
from storage.dimensions import TEMPLATE
from storage.facts import FACTS
from storage.facts.fact import Fact
from tests.gateway.application import as_role, gateway_process, running, settings_for
from tests.ingest.stories import names, story
from tests.storm.ledger import PROVISIONED, Ledger, midnight
from tests.storm.questions import leading, parts
from tests.storm.storm import Outcome, Storm

STORM_SECONDS = 60.0
PROJECTS = ("storm-one", "storm-two", "storm-three")


YESTERDAY = midnight(datetime.now(UTC).date()) - timedelta(days=1)


async def provision(client: httpx.AsyncClient) -> None:
    for template in filter(None, PROVISIONED[TEMPLATE]):
        text = (
            f'mutation {{ upsertTemplate(input: {{slug: "{template}"}}) {{ template {{ id }} }} }}'
        )
        answer = (await client.post("/graphql", json={"query": text})).json()
        assert "errors" not in answer, answer


@pytest.mark.process
async def test_every_answer_in_a_storm_is_of_one_state(
    own_database_url: str, redis_url: str, tmp_path: Path
) -> None:
    headers = as_role(Role.ADMIN, Role.INGEST)
    with (
        gateway_process(own_database_url, redis_url, str(tmp_path / "one.log")) as one,
        gateway_process(own_database_url, redis_url, str(tmp_path / "two.log")) as two,
    ):
        async with httpx.AsyncClient(base_url=one.url, headers=headers, timeout=30) as client:
            await provision(client)
            ledger = Ledger(PROJECTS, 1, YESTERDAY)
            # So that each project and each name is there to be asked about: a name that first
            # occurs during a query is unknown to its filter.
            events, sent = ledger.batch(300)
            assert (await client.post("/v1/events", json=events)).status_code == 200
            ledger.acknowledged(sent)
        until = time.monotonic() + STORM_SECONDS

        def is_over(_outcome: Outcome) -> bool:
            return time.monotonic() > until

        storm = Storm((one.url, two.url), headers, ledger, is_over)
        outcome = await storm.run()
        assert outcome.faults == []
        assert outcome.answers > 100
        assert 0 < outcome.hits < outcome.answers
        assert outcome.events > 1000
        assert "Traceback" not in one.log() + two.log()


SPAN = 'range: {between: {start: "%s", end: "%s"}}'
CHANGES = 12


@pytest.mark.parametrize("fact", FACTS.values(), ids=lambda fact: fact.name)
async def test_kept_parts_are_not_mixed_with_newer_ones(
    own_database_url: str, redis_url: str, fact: Fact
) -> None:
    """Groups are kept, an event comes, and within the same moment more is asked beside them."""
    headers = as_role(Role.ADMIN, Role.INGEST)
    today = midnight(datetime.now(UTC).date())
    span = SPAN % ((today - timedelta(days=3)).isoformat(), today.isoformat())
    asked = f'{stats_name(fact)}(filter: {{projects: ["mixed"]}}, {span})'
    count, chance = leading(fact), random.Random(1)
    groups = ("byProject", "byEnvironment", "series")
    extra = "durationMs(percentile: 0.5)" if fact.timing else f"previous {{ {count} }}"
    selected = " ".join(parts(fact)[name] for name in groups)
    async with running(settings_for(own_database_url, redis_url), None, **headers) as client:

        async def ask(selection: str) -> dict[str, Any]:
            query = f"{{ stats: {asked} {{ {selection} }} }}"
            answer = (await client.post("/graphql", json={"query": query})).json()
            assert "errors" not in answer, answer
            stats: dict[str, Any] = answer["data"]["stats"]
            return stats

        for number in range(CHANGES):
            common = {"project": "mixed", **names(fact, chance, PROVISIONED)}
            at = today - timedelta(days=1, minutes=number)
            events = story(fact, chance, f"mixed-{number}", common, at)
            answer = await client.post("/v1/events", json=events)
            assert {each["status"] for each in answer.json()["results"]} == {"accepted"}
            acknowledged_at = datetime.now(UTC)
            more = await ask(f"{selected} {count} {extra} freshness {{ asOf }}")
            sums = {name: sum(row[count] for row in more[name]) for name in groups}
            assert set(sums.values()) == {more[count]}, (number, sums, more[count])
            if datetime.fromisoformat(more["freshness"]["asOf"]) > acknowledged_at:
                assert more[count] == number + 1
            await ask(selected)  # kept from here on
