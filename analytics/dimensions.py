"""The dimensions a deployment can be grouped and filtered by."""

from enum import StrEnum


class Dimension(StrEnum):
    """A dimension. Status is not one: each status has its own component."""

    PROJECT = "project"
    ENVIRONMENT = "environment"
    NETWORK = "network"
    TEMPLATE = "template"
    FRAMEWORK = "framework"

    @property
    def column(self) -> str:
        """Its column in roll-ups and in the series table."""
        return f"{self.value}_id"

    @property
    def filter(self) -> str:
        """Its field in Filter."""
        return f"{self.value}s"


# Reserved ids of every dictionary: no value given, and a value not in the dictionary.
NONE = 0
OTHER = 1
