"""The declaration of a fact's events: their types and fields, and what each field fills."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from ingest.events import MAX_SOURCE_LENGTH
from ingest.wire.kinds import (
    Attributes,
    Duration,
    FieldError,
    Identifier,
    Integer,
    Kind,
    Moment,
    Name,
    Reference,
    Text,
    Word,
)
from storage.facts.fact import Entity, Fact
from storage.facts.lifecycle import EventType
from storage.names import MAX_NAME_LENGTH

# The words of each type of event about an entity that runs once. The first is its own.
WORDS: dict[EventType, tuple[str, ...]] = {
    EventType.QUEUED: ("queued", "pending", "created", "waiting"),
    EventType.STARTED: ("started", "start"),
    EventType.PROGRESS: ("progress", "in_progress", "running", "building", "deploying"),
    EventType.SUCCEEDED: ("succeeded", "success", "successful", "deployed"),
    EventType.FAILED: ("failed", "failure", "error", "errored"),
    EventType.CANCELLED: ("cancelled", "canceled", "aborted"),
    EventType.ROLLED_BACK: ("rolled_back", "rolledback", "rollback"),
}

# The entity is over; `status` has its outcome.
COMPLETED_WORDS = ("completed", "complete", "finished", "ended")
COMPLETED = -1

# Between a type's prefix and its word; a hyphen or a space is read as an underscore.
_SEPARATORS = (".", "_", ":")

# The places of an event's row that all facts have; the names and values follow.
(PROJECT, TYPE, STATUS, ID, IDENTITY, EXTERNAL_ID, SOURCE, TIME, STARTED, ENTITY, DURATION) = range(
    11
)
NAMES = 11


class Slot(NamedTuple):
    """Where the value of a field goes, and how it is read."""

    place: int
    read: Callable[[Any], Any]


@dataclass(frozen=True, slots=True, eq=False)
class Field:
    """A field of an event, and other names that senders use for it.

    All its names are read in snake_case too. It fills the column or dimension of its name, unless
    `fills` has the name of another. `about` describes it to senders.
    """

    name: str
    kind: Kind
    aliases: tuple[str, ...] = ()
    fills: str = ""
    required: bool = False
    default: Any = None
    about: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """All its names, its own first."""
        given = (self.name, *self.aliases)
        return tuple(dict.fromkeys((*given, *map(snake_case, given))))

    def read(self, given: Any, name: str = "") -> Any:
        """The clean value; raises FieldError."""
        try:
            return self.kind.read(given)
        except FieldError as error:
            error.field, error.given = self, name
            raise

    @property
    def filled(self) -> str:
        """The name of what it fills."""
        return self.fills or snake_case(self.name)


def snake_case(name: str) -> str:
    return re.sub("[A-Z]", lambda letter: f"_{letter[0].lower()}", name)


# Fields of all events. Of two fields with one name the wire's own counts.
PROJECT_FIELD = Field(
    "project",
    Identifier(MAX_NAME_LENGTH),
    ("projectId",),
    about="The project's slug; by default the only project of the token, if it has just one.",
)
TYPE_FIELD = Field("type", Word(), ("event", "eventType"), about="What happened.")
STATUS_FIELD = Field(
    "status",
    Word(),
    ("state",),
    about="Required if `type` is `completed`; replaces a missing `type`.",
)
ID_FIELD = Field(
    "id",
    Identifier(),
    ("eventId",),
    about="The event's id; another event with it is a duplicate. Without one, an event with the "
    "same content is a duplicate.",
)
TIME_FIELD = Field("time", Moment(), ("timestamp", "occurredAt"), about="When it happened.")
SOURCE_FIELD = Field(
    "source",
    Name(MAX_SOURCE_LENGTH),
    about="The system that reports it; event ids are unique within it.",
)
EXTERNAL_ID_FIELD = Field(
    "externalId", Identifier(), about="Your id of the event, if `id` is a UUID made from it."
)
_COMMON = (ID_FIELD, TYPE_FIELD, TIME_FIELD, PROJECT_FIELD, SOURCE_FIELD, EXTERNAL_ID_FIELD)

ENVIRONMENT_FIELD = Field("environment", Name(), ("env",), about="The environment's name.")
ATTRIBUTES_FIELD = Field(
    "attributes", Attributes(), ("metadata",), about="Further data to store: a JSON object."
)
# Fields of the facts that have what they fill, unless a wire has a field of its own for it.
_SHARED = (
    ENVIRONMENT_FIELD,
    Field("template", Name(), ("templateId",), about="The template's slug."),
    Field("framework", Name(), about="The framework's name."),
    Field(
        "startedAt", Moment(), fills="started", about="When it started, instead of the duration."
    ),
    Field(
        "durationMs",
        Duration(),
        fills="duration_us",
        about="The time from start to finish, in milliseconds.",
    ),
    Field("memoryBytes", Integer(), about="The most memory that it held, in bytes."),
    Field("error", Text(), ("errorMessage",), about="Why it failed."),
    ATTRIBUTES_FIELD,
)


class Archived(NamedTuple):
    """SQL for what an archive writes of a stored event besides its names and columns.

    `fields` has an expression for each field; the stored row is `event`, and `joins` add others.
    """

    fields: Mapping[str, str]
    joins: str = ""


_NO_CONTENT = Archived({})


class Wire:
    """How the events of a fact are written.

    `types` has the words of each type, of which 0 is that of the rows of an append fact; an event
    type is the prefix, a separator and a word. The words of `bare` ones are types without the
    prefix too. `subject` is the field that the subject of a CloudEvent stands for. `fields` are
    those that no other fact has. `archived` is for what is stored beside the rows.
    """

    def __init__(  # noqa: PLR0913 - what is declared of an event, each by name
        self,
        fact: Fact,
        prefix: str,
        types: Mapping[Any, tuple[str, ...]],
        subject: str,
        fields: Iterable[Field],
        *,
        bare: bool = False,
        archived: Archived = _NO_CONTENT,
    ) -> None:
        self.fact = fact
        self.archived = archived
        self.prefix = prefix
        self.types = {int(type_): words for type_, words in types.items()}
        self.bare = bare
        common = (*_COMMON, STATUS_FIELD) if isinstance(fact, Entity) else _COMMON
        self.places = _places(fact)
        own = self._with_shared(tuple(fields))
        self.named = {field.name: field for field in (*common, *own)}
        self.own_names = frozenset(name for field in own for name in field.names)
        self.fields = tuple(self.named.values())
        self.subject = self.named[subject]
        self.words = {word: type_ for type_, words in self.types.items() for word in words}
        if isinstance(fact, Entity):
            self.words |= dict.fromkeys(COMPLETED_WORDS, COMPLETED)
        self.prefixed = {
            f"{prefix}{separator}{word}": type_
            for word, type_ in self.words.items()
            for separator in _SEPARATORS
        }
        self.type_of = self.words | self.prefixed

        self.values = NAMES + len(fact.dimensions)  # the first place of a value
        self.content = self.values + len(fact.columns)  # the first place of what is in no row
        self.width = self.content + len(fact.content.names)
        self.field_at = {self.places[field.filled]: field for field in self.fields}
        self.slots = {
            name: Slot(self.places[field.filled], field.kind.read)
            for field in self.fields
            for name in field.names
        }
        self.duration = self.places.get("duration_us", DURATION)
        self.required = self._where(lambda field: field.required)
        self.texts = self._where(lambda field: isinstance(field.kind, Text))
        self.references = self._where(lambda field: isinstance(field.kind, Reference))
        defaults = self._where(lambda field: field.default is not None)
        self.defaults = tuple((place, self.field_at[place].default) for place in defaults)

    def __str__(self) -> str:
        return self.fact.name

    def typed(self, type_: int) -> str:
        """The event type as it is written."""
        return f"{self.prefix}.{self.types[type_][0]}"

    def _with_shared(self, fields: tuple[Field, ...]) -> tuple[Field, ...]:
        """The fields, and shared ones for what they leave unfilled."""
        unfilled = self.places.keys() - {field.filled for field in fields}
        return (*fields, *(field for field in _SHARED if field.filled in unfilled))

    def _where(self, wanted: Callable[[Field], bool]) -> tuple[int, ...]:
        return tuple(place for place, field in self.field_at.items() if wanted(field))


def _places(fact: Fact) -> dict[str, int]:
    """The place in a row of everything that fields may fill."""
    places = {
        "project": PROJECT,
        "type": TYPE,
        "id": ID,
        "identity": IDENTITY,
        "external_id": EXTERNAL_ID,
        "source": SOURCE,
        "time": TIME,
    }
    if isinstance(fact, Entity):
        places |= {"status": STATUS, fact.name: ENTITY, "duration_us": DURATION}
    elif "duration_us" in fact.columns:
        places["started"] = STARTED
    names = (dimension.name for dimension in fact.dimensions)
    given = (*names, *fact.columns, *fact.content.names)
    return places | {name: place for place, name in enumerate(given, NAMES)}


def entity_wire(
    entity: Entity,
    fields: Iterable[Field],
    *,
    words: Mapping[Any, tuple[str, ...]] = WORDS,
    bare: bool = False,
) -> Wire:
    """How the events of an entity are written: their types are those of its lifecycle."""
    name = entity.name
    identity = Field(
        name,
        Identifier(),
        (f"{name}Id",),
        required=True,
        about=f"The {name}'s id: a UUID, or any text that is unique in the project.",
    )
    types = {type_: words[type_] for type_ in entity.lifecycle.status_of}
    return Wire(entity, name, types, name, (identity, *fields), bare=bare)
