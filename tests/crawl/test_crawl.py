"""The crawl: whatever a tenant asks, it is answered as if the other tenant had never been."""

import json

import pytest

from tests.crawl.attacks import attacks, is_mutation, places, sights
from tests.crawl.crawl import leaks
from tests.crawl.secrets import Secrets
from tests.crawl.world import HERON, QUAGGA, Worlds, hidden_names
from tests.schema.platform import ADMIN


async def test_the_hidden_tenant_sees_all_that_is_hidden(worlds: Worlds) -> None:
    """Otherwise the crawl would look in the wrong places."""
    seen = ""
    for document in sights():
        if not is_mutation(document):
            seen += await worlds.within.ask(document, QUAGGA)
            await worlds.within.ask(document, ADMIN)  # now the process knows all there is
    assert [name for name in hidden_names() if f'"{name}"' not in seen] == []


async def test_nothing_that_is_there_to_see_depends_on_another_tenant(
    worlds: Worlds, written_worlds: Worlds, secrets: Secrets
) -> None:
    seen = [one for one in sights() if not is_mutation(one)]
    assert await leaks(worlds, seen, secrets) == []
    done = filter(is_mutation, sights())
    assert await leaks(written_worlds, done, secrets) == []
    texts = [await worlds.within.ask(one) for one in seen]
    assert "heron-1" in json.dumps(texts)


@pytest.mark.parametrize("place", places())
async def test_whatever_is_asked_another_tenant_might_never_have_been(
    worlds: Worlds, written_worlds: Worlds, secrets: Secrets, place: str
) -> None:
    tried = list(attacks(secrets, place))
    assert tried
    asked = written_worlds if any(map(is_mutation, tried)) else worlds
    assert await leaks(asked, tried, secrets) == []


async def test_the_two_worlds_are_two(worlds: Worlds) -> None:
    """The own tenant's answers are equal; an administrator's are not."""
    for document in sights():
        if document.about == "Query.projects":
            assert await worlds.without.ask(document) == await worlds.within.ask(document)
            theirs = await worlds.within.ask(document, ADMIN)
            assert await worlds.without.ask(document, ADMIN) != theirs
            assert HERON.subject in theirs
            return
    pytest.fail("projects are not among what is there to see")
