"""The crawl's own test: with the scope taken away from any one place, it finds a leak."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field

import pytest

from tests.crawl.attacks import attacks, is_mutation, sights
from tests.crawl.crawl import leaks
from tests.crawl.documents import Document
from tests.crawl.scopes import Place, changed, noted, places, unscoped
from tests.crawl.secrets import Secrets
from tests.crawl.world import CANARY, Worlds

KEYED = "its keys come from rows read within the scope; asked directly in test_keyed_reads.py"
OF_ALERT = "asks about the rule of an alert in scope; asked directly in test_keyed_reads.py"
LOOKS = "says where lists look, which have their scope; asked directly in test_keyed_reads.py"
# Where the scope can be taken away without a client seeing it, and why.
UNSEEN = {
    "analytics.run._versions": "tells whether data has changed; keys say whose answer it is",
    "analytics.watched.deployments_before": "asks about the project of a deployment in scope",
    "resolvers.alert_changes.is_mine": "a mutation: tried on others in schema/alerts",
    "resolvers.alert_explanations._events": OF_ALERT,
    "resolvers.alert_explanations.explain": OF_ALERT,
    "resolvers.alert_previews.preview": "only admins ask about more than a project in scope",
    "resolvers.alert_previews._of_ages": "tried on others in schema/things/test_alert_previews.py",
    "storage.queries.alert_past.events_at": KEYED,
    "storage.queries.alert_past.revision_at": KEYED,
    "storage.queries.alerts._several": KEYED,
    "storage.queries.alerts.attempts_of": KEYED,
    "storage.queries.alerts.instances_of": KEYED,
    "storage.queries.alerts.revisions_of": KEYED,
    "storage.queries.alerts.rows_by_id": "asked directly in test_keyed_reads.py, and by node",
    "resolvers.project_keys.update": "a mutation: tried on others in schema/admin",
    "resolvers.project_keys.revoke": "a mutation: tried on others in schema/admin",
    "resolvers.signatures.FailureSignature.project_count": "only admins ask, who see everything",
    "resolvers.signatures.spread": "raises a least number; own projects are tried in resolvers/",
    "resolvers.signatures.projects_of": "only admins ask, who see everything",
    "storage.queries.first_events.of_projects": KEYED,
    "resolvers.error_occurrences.occurrences_of": "narrows to the project of an error in scope",
    "storage.queries.errors.counts.of_errors": KEYED,
    "storage.queries.errors.searching.find_fingerprints": LOOKS,
    "storage.queries.facts.few_series": LOOKS,
    "storage.queries.log_lines.Prepared.parameters": LOOKS,
    "storage.queries.log_lines.prepare": LOOKS,
    "storage.queries.kept_panels.of_projects": KEYED,
    "storage.queries.members.of_projects": KEYED,
    "storage.queries.names.by_names": KEYED,
    "storage.queries.names.of_projects": KEYED,
    "storage.queries.names.seen": KEYED,
    "storage.queries.past_ages.standings": "asked directly in test_keyed_reads.py",
    "storage.queries.running.counts": KEYED,
    "analytics.slices.Slice.is_empty": "saves a statement that would find nothing",
    "analytics.slices.Slice.__post_init__": "checks that there is a scope",
    "analytics.shapes._exact": "chooses how exactly percentiles are told",
    "analytics.slices.Slice.tags": "says when a kept answer is too old, not whose it is",
    "analytics.slices.Slice.key": "matters to kept answers: taken away in test_kept.py",
    "resolvers.context.Context.forget_loaded": "leaves the work to _loaders, which is tried",
    "resolvers.context.Context.project_ids": "looks up only projects that the token names",
    "resolvers.context.Context.renew": "takes the viewer's own scope, as Context.create does",
    "resolvers.groups._linked_nodes": "links names of one project; without a scope it links none",
    "resolvers.subscriptions._ids": "decides what is told later: taken away in test_live.py",
}
# Of documents that differ in a text alone, so many are asked.
OF_A_KIND = 10


@dataclass(slots=True)
class Calls:
    """Which documents come by which place, and what is answered when nothing is taken away."""

    of: defaultdict[str, list[Document]] = field(default_factory=lambda: defaultdict(list))
    answers: dict[str, tuple[str, list[str]]] = field(default_factory=dict)


@pytest.fixture(scope="session")
async def calls(worlds: Worlds, secrets: Secrets) -> Calls:
    found, called = Calls(), set[str]()
    with ExitStack() as stack:
        for place in places():
            stack.enter_context(changed(place, noted(called, place)))
        for document in [*_few_of_a_kind(attacks(secrets)), *sights()]:
            if is_mutation(document):
                continue
            called.clear()
            answer = await worlds.within.ask(document)
            found.answers[document.about] = answer, sorted(worlds.within.statements)
            for one in called:
                found.of[one].append(document)
    return found


def _few_of_a_kind(documents: Iterable[Document]) -> Iterator[Document]:
    seen = Counter[str]()
    for document in documents:
        kind = re.sub(r"'[^']*'(?!:)", "''", document.about)
        seen[kind] += 1
        if seen[kind] <= OF_A_KIND:
            yield document


@pytest.mark.parametrize("place", [one for one in places() if str(one) not in UNSEEN], ids=str)
async def test_the_crawl_finds_what_leaks_without_a_scope(
    worlds: Worlds, secrets: Secrets, calls: Calls, place: Place
) -> None:
    assert str(place) in calls.of, "no document comes by here: is it still used?"
    with changed(place, unscoped):
        for document in _in_turn(calls.of[str(place)]):
            answer = await worlds.within.ask(document)
            usual, statements = calls.answers[document.about]
            is_changed = answer != usual or sorted(worlds.within.statements) != statements
            if is_changed and await leaks(worlds, [document], secrets):
                return
    pytest.fail("nobody would notice that the scope is missing here")


def _in_turn(documents: list[Document]) -> list[Document]:
    """One of each field after the other, and first those that name the other tenant."""
    by_field: defaultdict[str, list[Document]] = defaultdict(list)
    for document in sorted(documents, key=lambda one: CANARY not in one.about):
        by_field[document.about.partition("(")[0]].append(document)
    longest = max(map(len, by_field.values()))
    return [one for at in range(longest) for each in by_field.values() for one in each[at : at + 1]]


def test_what_is_excused_exists() -> None:
    assert UNSEEN.keys() <= set(map(str, places()))
