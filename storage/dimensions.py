"""The dimensions that figures are filtered and grouped by, with the tables of their names."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, Column, DateTime, Identity, Integer, Table, Text, func
from sqlalchemy.dialects.postgresql import ARRAY

from storage.metadata import metadata

# Reserved ids of every dictionary but projects: no name given, and a name that is unknown or
# beyond a limit.
NONE = 0
OTHER = 1


@dataclass(frozen=True, slots=True, eq=False)
class Dimension:
    """A dimension, and the dictionary that gives each of its names a small integer id.

    The names of an ``interned`` dimension belong to tenants: the first event with a name creates
    it, up to ``at_most`` names on the platform. All other names are provisioned by admins. Events
    may write a name of an ``any_case`` dimension in upper or lower case.
    """

    name: str
    dictionary: Table
    label: str = "name"  # the column of the dictionary that holds the name
    interned: bool = False
    any_case: bool = False
    at_most: int = 10_000

    def __str__(self) -> str:
        return self.name

    @property
    def words(self) -> str:
        """Its name in sentences."""
        return self.name.replace("_", " ")

    @property
    def column(self) -> str:
        """Its column in its dictionary, in series and in roll-ups."""
        return f"{self.name}_id"

    @property
    def plural(self) -> str:
        """Its field in filters, such as ``environments``."""
        return self.dictionary.name

    @property
    def of_project_at_most(self) -> int:
        """How many names one project may create, so that no tenant fills the dictionary."""
        return self.at_most // 20

    @property
    def key(self) -> Column[Any]:
        return self.dictionary.c[self.column]

    @property
    def names(self) -> Column[Any]:
        return self.dictionary.c[self.label]


# All dimensions by name, in the order of their declaration.
DIMENSIONS: dict[str, Dimension] = {}


def _declare(dimension: Dimension) -> Dimension:
    return DIMENSIONS.setdefault(dimension.name, dimension)


def _created_at() -> Column[Any]:
    return Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now())


def _id(name: str, kind: type[Integer] = Integer, start: int = 2) -> Column[Any]:
    return Column(name, kind, Identity(start=start), primary_key=True)


def _interned(name: str, plural: str, at_most: int = 10_000) -> Dimension:
    label = Column("name", Text, nullable=False, unique=True)
    table = Table(plural, metadata, _id(f"{name}_id"), label)
    return _declare(Dimension(name, table, interned=True, at_most=at_most))


projects = Table(
    "projects",
    metadata,
    _id("project_id", BigInteger, start=1),
    Column("slug", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    _created_at(),
)

networks = Table(
    "networks",
    metadata,
    _id("network_id", start=4),
    Column("name", Text, nullable=False, unique=True),
    Column("title", Text, nullable=False),
    Column("chain_id", BigInteger),
    _created_at(),
)

templates = Table(
    "templates",
    metadata,
    _id("template_id"),
    Column("slug", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("description", Text),
    Column("category", Text),
    Column("tags", ARRAY(Text), nullable=False, server_default="{}"),
    _created_at(),
)

# Every fact has it: the project is a column of every row, and no dimension of a series or cell.
PROJECT = _declare(Dimension("project", projects, label="slug"))

ENVIRONMENT = _interned("environment", "environments")
NETWORK = _declare(Dimension("network", networks, any_case=True))
TEMPLATE = _declare(Dimension("template", templates, label="slug", any_case=True))
FRAMEWORK = _interned("framework", "frameworks")
PHASE = _interned("phase", "phases")
FUNCTION = _interned("function", "functions", at_most=1_000_000)
RUNTIME = _interned("runtime", "runtimes")
REGION = _interned("region", "regions")
ENDPOINT = _interned("endpoint", "endpoints", at_most=1_000_000)
METHOD = _interned("method", "methods")
ERROR_TYPE = _interned("error_type", "error_types", at_most=1_000_000)
SEVERITY = _interned("severity", "severities")
MODEL = _interned("model", "models")
TASK = _interned("task", "tasks")
METRIC = _interned("metric", "metrics", at_most=100_000)
LABEL_SET = _interned("label_set", "label_sets", at_most=1_000_000)
LOGGER = _interned("logger", "loggers", at_most=200_000)
DOMAIN = _interned("domain", "domains", at_most=1_000_000)
ISSUER = _interned("issuer", "issuers")
