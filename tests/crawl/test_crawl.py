"""The crawl: whatever a tenant asks, it is answered as if the other tenant had never been.

And its own test: with the scope taken away from any one place, the crawl finds a leak. Both tests
ask the same documents, which takes minutes, so `Calls` asks each once: while the first test asks,
it writes down by which scopes a document comes; the second asks those of one scope again without
it. What the fields that take one input type try each, and what they share, says `dealing`.
"""

from __future__ import annotations

from collections import defaultdict

import pytest

from tests.crawl.attacks import is_read, places, sights
from tests.crawl.calls import SIGHTS, Calls
from tests.crawl.crawl import leaks, names_a_cursor
from tests.crawl.documents import Document
from tests.crawl.scopes import Place, changed, unscoped
from tests.crawl.scopes import places as scopes
from tests.crawl.secrets import Secrets
from tests.crawl.world import CANARY, HERON, QUAGGA, Worlds, hidden_names
from tests.schema.platform import ADMIN

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
    "storage.queries.alerts.parts_of": KEYED,
    "storage.queries.alerts.rules_of": KEYED,
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


async def test_the_hidden_tenant_sees_all_that_is_hidden(worlds: Worlds) -> None:
    """Otherwise the crawl would look in the wrong places."""
    seen = ""
    for document in filter(is_read, sights()):
        seen += await worlds.within.ask(document, QUAGGA)
    for document in filter(is_read, sights(depth=1)):
        await worlds.within.ask(document, ADMIN)  # now the process knows all there is
    assert [name for name in hidden_names() if f'"{name}"' not in seen] == []


async def test_nothing_that_is_there_to_see_depends_on_another_tenant(calls: Calls) -> None:
    assert await calls.of(SIGHTS) == []
    (deployments,) = (one for one in sights(depth=1) if one.about == "Query.deployments")
    assert "heron-1" in await calls.worlds.within.ask(deployments)


@pytest.mark.parametrize("place", places())
async def test_whatever_is_asked_another_tenant_might_never_have_been(
    calls: Calls, place: str
) -> None:
    assert await calls.of(place) == []


async def test_the_two_worlds_are_two(worlds: Worlds) -> None:
    """The own tenant's answers are equal; an administrator's are not."""
    for document in sights(depth=1):
        if document.about == "Query.projects":
            assert await worlds.without.ask(document) == await worlds.within.ask(document)
            theirs = await worlds.within.ask(document, ADMIN)
            assert await worlds.without.ask(document, ADMIN) != theirs
            assert HERON.subject in theirs
            return
    pytest.fail("projects are not among what is there to see")


@pytest.mark.parametrize("scope", [one for one in scopes() if str(one) not in UNSEEN], ids=str)
async def test_the_crawl_finds_what_leaks_without_a_scope(
    worlds: Worlds, secrets: Secrets, calls: Calls, scope: Place
) -> None:
    await calls.of_everything()
    assert str(scope) in calls.by_scope, "no document comes by here: is it still used?"
    with changed(scope, unscoped):
        for document in likely_first(calls.by_scope[str(scope)], secrets):
            if await calls.differs(document) and await leaks(worlds, [document], secrets):
                return
    pytest.fail("nobody would notice that the scope is missing here")


def likely_first(documents: list[Document], secrets: Secrets) -> list[Document]:
    """Those that name the other tenant before others, and one of each argument after the other."""
    by_argument: defaultdict[tuple[bool, str], list[Document]] = defaultdict(list)
    for document in documents:
        is_named = CANARY in document.about or names_a_cursor(document, secrets)
        by_argument[not is_named, document.about.partition(": ")[0]].append(document)
    numbered = [
        (is_other, turn, argument, document)
        for (is_other, argument), some in by_argument.items()
        for turn, document in enumerate(some)
    ]
    return [document for *_, document in sorted(numbered, key=lambda one: one[:3])]


def test_what_is_excused_exists() -> None:
    assert UNSEEN.keys() <= set(map(str, scopes()))
