"""Reads the counters of a gateway from its metrics."""

import asyncio
from dataclasses import dataclass

from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample


@dataclass(frozen=True, slots=True)
class Counters:
    """All samples of one scrape."""

    samples: tuple[Sample, ...]

    def sum(self, name: str, **labels: str) -> float:
        """The sum over all series of this name with these labels."""
        return sum(
            each.value
            for each in self.samples
            if each.name == name and labels.items() <= each.labels.items()
        )


async def counters(port: int) -> Counters:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    _, _, text = (await reader.read()).decode().partition("\r\n\r\n")
    writer.close()
    families = text_string_to_metric_families(text)
    return Counters(tuple(sample for family in families for sample in family.samples))
