"""Files of alerts: rules, channels and silences by project, with the lines of what is wrong."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import uuid4

import yaml
from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from alerts.checking import problems
from alerts.delivery import KINDS
from alerts.preset_changes import document_of, preset_called
from alerts.rules import RULE, Rule
from alerts.silences import Matcher, Schedule
from resolvers import notification_channels, silences
from resolvers.user_errors import UserError
from storage.alerts.channels import DEFAULT_SENDS_PER_HOUR, ChannelRow, Sealed

_REFERENCE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")

_NEVER = datetime(1970, 1, 1, tzinfo=UTC)  # a time that is not stored

Path = tuple[Any, ...]
Lines = Mapping[Path, int]


@dataclass(frozen=True, slots=True)
class Fault:
    """Something wrong in a file: where, and what to do."""

    path: Path
    line: int
    message: str

    def __str__(self) -> str:
        return f"line {self.line}: {'.'.join(map(str, self.path))}: {self.message}"


class FaultyFileError(Exception):
    """A file that cannot be used; it says all that is wrong."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__("\n".join(map(str, faults)))
        self.faults = faults


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class ChannelEntry(_Entry):
    """A channel; secrets are references to variables of the environment."""

    name: str
    kind: str
    settings: dict[str, Any] = Field(default_factory=dict)
    secrets: dict[str, str] = Field(default_factory=dict)
    enabled: bool = True
    sends_per_hour: int = DEFAULT_SENDS_PER_HOUR


class SilenceEntry(_Entry):
    """A silence; one that says the same is the same."""

    matchers: tuple[Matcher, ...]
    comment: str
    starts_at: AwareDatetime
    ends_at: AwareDatetime
    until_resolved: bool = False
    schedule: Schedule | None = None


def _of_preset(given: Any) -> Any:
    """The whole of a rule that is a preset with what its entry changes."""
    if not isinstance(given, dict) or given.get("preset") is None:
        return given
    trigger = given.get("trigger", {})
    if not isinstance(trigger, dict) or "kind" in trigger:  # a trigger of its own
        return given
    return document_of(preset_called(str(given["preset"])), given)


class Section(_Entry):
    """What belongs to one project, or to the platform."""

    channels: list[ChannelEntry] = Field(default_factory=list)
    rules: list[Annotated[Rule, BeforeValidator(_of_preset)]] = Field(default_factory=list)
    silences: list[SilenceEntry] = Field(default_factory=list)


class AlertFile(_Entry):
    """A whole file."""

    platform: Section | None = None
    projects: dict[str, Section] = Field(default_factory=dict)

    def sections(self) -> Iterator[tuple[Path, str | None, Section]]:
        """Each section with its path and the slug of its project, None for the platform."""
        if self.platform is not None:
            yield ("platform",), None, self.platform
        for slug, section in self.projects.items():
            yield ("projects", slug), slug, section


def read(text: str, local: Collection[str] = ()) -> tuple[AlertFile, Lines]:
    """Returns a checked file, and the lines of its parts; raises FaultyFileError.

    `local` are hosts that need not be public, for channels of the platform.
    """
    document, lines = _parsed(text)
    try:
        file = AlertFile.model_validate(document or {})
    except ValidationError as error:
        faults = [
            fault_at(lines, each["loc"], f"{_sentence(each['msg'])}.")
            for each in error.errors(include_url=False, include_input=False)
        ]
        raise FaultyFileError(faults) from None
    found = [fault_at(lines, path, message) for path, message in _problems(file, local)]
    if found:
        raise FaultyFileError(found)
    return file, lines


def _sentence(message: str) -> str:
    return message.removeprefix("Value error, ").removesuffix(".")


def fault_at(lines: Lines, path: Path, message: str) -> Fault:
    """A fault at the deepest part of a path that stands in the file."""
    here: Path = ()
    for part in path:
        if (*here, part) in lines:
            here = (*here, part)
    return Fault(path, lines[here], message)


def _parsed(text: str) -> tuple[Any, Lines]:
    loader = yaml.SafeLoader(text)
    try:
        node = loader.get_single_node()
        document = None if node is None else loader.construct_document(node)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        raise FaultyFileError([Fault(("file",), line, f"{error.problem}.")]) from None
    except yaml.YAMLError as error:
        raise FaultyFileError([Fault(("file",), 1, f"It is no YAML: {error}.")]) from None
    finally:
        loader.dispose()
    return document, {(): 1} if node is None else dict(_lines(node, ()))


def _lines(node: yaml.Node, path: Path) -> Iterator[tuple[Path, int]]:
    """The line of each part: that of its key, or its own where it has none."""
    if not path:
        yield path, 1
    if isinstance(node, yaml.MappingNode):
        seen = set[str]()
        for key, value in node.value:
            if key.value in seen:
                fault = Fault((*path, key.value), key.start_mark.line + 1, "It stands there twice.")
                raise FaultyFileError([fault])
            seen.add(key.value)
            yield (*path, key.value), key.start_mark.line + 1
            yield from _lines(value, (*path, key.value))
    elif isinstance(node, yaml.SequenceNode):
        for place, item in enumerate(node.value):
            yield (*path, place), item.start_mark.line + 1
            yield from _lines(item, (*path, place))


def _problems(file: AlertFile, local: Collection[str]) -> Iterator[tuple[Path, str]]:
    """What is wrong with the entries, as the mutations tell it."""
    for path, slug, section in file.sections():
        for place, rule in enumerate(section.rules):
            for problem in problems(rule, project_scoped=slug is not None):
                yield (*path, "rules", place, *problem.path), problem.message
        for place, channel in enumerate(section.channels):
            for where, message in _channel_problems(channel, () if slug else local):
                yield (*path, "channels", place, *where), message
        for place, silence in enumerate(section.silences):
            for error in silences.errors_of(given_silence(silence), silence.starts_at):
                yield (*path, "silences", place, *_path_of(error)), error.message
        for kind, named in (("rules", section.rules), ("channels", section.channels)):
            yield from _twice((*path, kind), [each.name for each in named])


def _twice(path: Path, names: list[str]) -> Iterator[tuple[Path, str]]:
    for place, name in enumerate(names):
        if name in names[:place]:
            yield (*path, place, "name"), f"{name!r} stands there twice: choose another name."


def _channel_problems(channel: ChannelEntry, local: Collection[str]) -> Iterator[tuple[Path, str]]:
    kind = KINDS.get(channel.kind)
    if kind is None:
        yield ("kind",), f"There is no kind {channel.kind!r}; there are {', '.join(KINDS)}."
        return
    for name, value in channel.secrets.items():
        reference = _REFERENCE.fullmatch(value)
        if reference is None:
            yield ("secrets", name), "Name a variable of the environment, such as ${OPS_SECRET}."
            return
        if not os.environ.get(reference[1]):
            yield ("secrets", name), f"The variable {reference[1]} is not set: set it."
            return
    row = channel_row(channel, None, {}, by="", now=_NEVER)
    for error in notification_channels.errors_of(row, secrets_of(channel), local):
        where = _path_of(error)
        if where[0] == "channel":
            where = ("secrets" if where[-1] in kind.SECRETS else "settings", where[-1])
        yield where, error.message


def _path_of(error: UserError) -> Path:
    """The path in an entry of one in the input of a mutation."""
    _, *names = error.field or ("",)
    return tuple(re.sub(r"(?=[A-Z])", "_", name).lower() for name in names)


def given_silence(entry: SilenceEntry) -> silences.Given:
    """A silence as the mutation takes it."""
    return silences.Given(
        entry.matchers,
        entry.starts_at,
        entry.ends_at,
        entry.until_resolved,
        entry.schedule,
        entry.comment,
    )


def channel_row(
    entry: ChannelEntry,
    project_id: int | None,
    secrets: Mapping[str, Sealed],
    *,
    by: str,
    now: datetime,
) -> ChannelRow:
    """A new channel as it is stored."""
    return ChannelRow(
        channel_id=uuid4(),
        project_id=project_id,
        name=entry.name,
        kind=entry.kind,
        enabled=entry.enabled,
        settings=entry.settings,
        secrets=secrets,
        sends_per_hour=entry.sends_per_hour,
        created_at=now,
        created_by=by,
        changed_at=now,
        changed_by=by,
    )


def secrets_of(channel: ChannelEntry) -> dict[str, str]:
    """The secrets of a checked channel, out of the environment."""
    return {
        name: os.environ[reference[1]]
        for name, value in channel.secrets.items()
        if (reference := _REFERENCE.fullmatch(value))
    }


def reference_to(channel: str, secret: str) -> str:
    """The reference that an exported file has in the place of a secret."""
    return "${" + re.sub(r"[^A-Z0-9]+", "_", f"{channel}_{secret}".upper()) + "}"


def rule_entry(rule: Rule) -> dict[str, Any]:
    """A rule as a file has it: without what is so by default."""
    document: dict[str, Any] = RULE.dump_python(rule, mode="json", exclude_defaults=True)
    document["trigger"]["kind"] = rule.trigger.kind
    comparison = getattr(rule.trigger, "comparison", None)
    if comparison is not None:
        document["trigger"]["comparison"]["kind"] = comparison.kind
    return document


def write(document: Mapping[str, Any]) -> str:
    """A file as text."""
    return str(yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=100))
