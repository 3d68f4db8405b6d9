"""Stands in until the modules for scrubbing and grouping are there."""

from dataclasses import dataclass
from hashlib import blake2b
from typing import Any


@dataclass(frozen=True)
class Grouping:
    signature: str
    title: str
    error_type: str | None
    culprit: str
    platform: str

    def as_json(self) -> dict[str, Any]:
        return {"version": 1, "decidedBy": [{"part": "MESSAGE_TEMPLATE", "values": [self.title]}]}


def frames_of_text(_text: str) -> list[Any]:
    return []


def scrub(body: dict[str, Any]) -> dict[str, Any]:
    return body


def searchable(body: dict[str, Any]) -> str:
    return str(body.get("message", ""))


def group(body: dict[str, Any]) -> Grouping:
    values = body.get("exception", {}).get("values", [])
    last = values[-1] if values else {}
    kind, text = last.get("type"), last.get("value") or body.get("message") or ""
    title = f"{kind}: {text}" if kind else text or "<unlabeled event>"
    key = repr((body.get("fingerprint"), kind, text)).encode()
    return Grouping(
        blake2b(key, digest_size=16).hexdigest(), title, kind, body.get("transaction", ""), "other"
    )
