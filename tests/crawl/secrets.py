"""What the hidden tenant is known by: its names, ids and cursors, as it sees them itself."""

from __future__ import annotations

import base64
from dataclasses import dataclass

from tests.crawl.documents import Document
from tests.crawl.world import CANARY, HERON, QUAGGA, World
from tests.schema.platform import ADMIN

_IDENTITY = """{
  deployments(first: 3) { edges { cursor } pageInfo { endCursor } nodes {
    id deploymentId project { id } environment { id } } }
  projects(first: 1) { edges { cursor node { id } } }
}"""

# Its own names for things, each in another column.
NAMES = (
    "quagga", "quagga-lab", "quagga-environment", "quagga-framework", "quagga-network",
    "quagga-template", "quagga-actor", "quagga-error", "quagga-0", "quagga-0-lab",
    "quagga-source", "quagga-attribute", "quagga Limited",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Secrets:
    """Things a stranger may have got hold of."""

    names: tuple[str, ...]
    ids: tuple[str, ...]
    cursors: tuple[str, ...]
    uuids: tuple[str, ...]

    def every(self) -> tuple[str, ...]:
        return (*self.names, *self.ids, *self.cursors, *self.uuids)


async def found(world: World) -> Secrets:
    document = Document(_IDENTITY, {}, "identity")
    hidden = (await world.execute(document, QUAGGA)).data
    every = (await world.execute(document, ADMIN)).data
    own = (await world.execute(document, HERON)).data
    assert hidden is not None
    assert every is not None
    assert own is not None
    nodes = hidden["deployments"]["nodes"]
    ids = [
        *(node["id"] for node in nodes),
        *(node["project"]["id"] for node in nodes),
        *(node["environment"]["id"] for node in nodes if node["environment"]),
    ]
    mixed = [_moved(id, own["projects"]["edges"][0]["node"]["id"]) for id in ids]
    cursors = [
        edge["cursor"]
        for seen in (hidden, every)
        for each in seen.values()
        for edge in each["edges"]
    ]
    assert any(CANARY in name for name in NAMES)
    return Secrets(
        NAMES,
        tuple(dict.fromkeys([*ids, *mixed])),
        tuple(cursors),
        tuple(node["deploymentId"] for node in nodes),
    )


def _moved(id: str, project: str) -> str:
    """The same key under the own project."""
    kind, _, *rest = _plain(id).split(":")
    own = _plain(project).split(":")[1]
    return base64.urlsafe_b64encode(":".join([kind, own, *rest]).encode()).decode().rstrip("=")


def _plain(id: str) -> str:
    return base64.urlsafe_b64decode(id + "==").decode()
