"""All facts, each declared once."""

from storage.facts.deployments import DEPLOYMENTS
from storage.facts.fact import Fact

FACTS: dict[str, Fact] = {fact.name: fact for fact in (DEPLOYMENTS,)}
