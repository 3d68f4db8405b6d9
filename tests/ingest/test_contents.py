"""Facts with content: each is prepared and stored."""

from ingest.contents import PREPARERS
from storage.contents import CONTENT_STORES
from storage.facts import FACTS


def test_every_fact_with_content_is_prepared_and_stored() -> None:
    facts = {each for each in FACTS.values() if each.content.names}
    assert PREPARERS.keys() == CONTENT_STORES.keys() == facts
