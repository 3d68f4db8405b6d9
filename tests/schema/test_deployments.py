"""Deployments: one, a page, their links and their history."""

from tests.schema.platform import Platform


async def test_recorded_attempt_shows_its_five_fields(platform: Platform) -> None:
    """R1."""
    data = await platform.ask(
        """{ deployments(filter: {externalId: {eq: "shop-1"}}) { nodes {
            id externalId status createdAt networkName templateSlug durationMs
            network { name } template { slug name } project { slug } environment { name }
            statusEvents(first: 2) { type status actor occurredAt }
        } } }"""
    )
    (found,) = data["deployments"]["nodes"]
    print(found)
    again = await platform.ask(
        "query($id: ID!) { deployment(id: $id) { externalId } }", id=found["id"]
    )
    assert again == {"deployment": {"externalId": "shop-1"}}
