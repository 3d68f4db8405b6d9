"""The dimensions a deployment can be grouped and filtered by."""

from enum import StrEnum


class Dimension(StrEnum):
    """What to split by. The status of a deployment is no dimension: the components split by it."""

    PROJECT = "project"
    ENVIRONMENT = "environment"
    NETWORK = "network"
    TEMPLATE = "template"
    FRAMEWORK = "framework"

    @property
    def column(self) -> str:
        """The column that carries it in every roll-up and in the series table."""
        return f"{self.value}_id"

    @property
    def filter(self) -> str:
        """The field of Filter that narrows by it."""
        return f"{self.value}s"


# Reserved ids of every dictionary: not given, and given but unknown.
NONE = 0
OTHER = 1
