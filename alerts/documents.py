"""Documents of rules as they are stored, also those that are no rules any more.

A document outlives the version of the gateway that wrote it: another one may have dropped a measure
or a field. Such a rule is not evaluated, which its channels are told, but it is still shown,
replaced and deleted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, get_type_hints

from pydantic import TypeAdapter, ValidationError

from alerts.measures import measure_called
from alerts.rules import RULE, Absence, Rule, Severity, Trigger, Watch
from storage.dimensions import DIMENSIONS


@dataclass(frozen=True, slots=True)
class Document:
    """What can be read of a stored rule; the rest is as it is by default.

    Where it cannot be evaluated, ``trigger`` is None and ``problem`` says in a sentence why.
    """

    trigger: Trigger | None = None
    severity: Severity = Severity.WARNING
    enabled: bool = True
    channels: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    title: str | None = None
    text: str | None = None
    preset: str | None = None
    problem: str | None = None

    def changed(self, name: str, changes: Mapping[str, Any]) -> Rule | None:
        """Returns the rule of this name with other values; None if it still has no trigger."""
        known = {each: getattr(self, each) for each in _NAMES}
        rule = {"name": name, **known, **changes}
        return None if rule["trigger"] is None else Rule(**rule)


# In place of a trigger that cannot be read.
_NOTHING = Watch("", 0, Absence())
_NAMES = tuple(each.name for each in fields(Document) if each.name != "problem")
_TYPES = {name: TypeAdapter(hint) for name, hint in get_type_hints(Rule, None, None, True).items()}


def read_document(document: Any) -> Document:
    """Returns what a stored document says, and why it cannot be evaluated, if it cannot."""
    try:
        rule = RULE.validate_python(document)
    except ValidationError:
        return _in_parts(document if isinstance(document, Mapping) else {})
    problem = unknown_name(rule.trigger)
    found = {name: getattr(rule, name) for name in _NAMES}
    return Document(**(found if problem is None else {**found, "trigger": None}), problem=problem)


def rule_of(name: str, document: Any) -> tuple[Rule, str | None]:
    """Returns a stored rule, and why it cannot be read, if it cannot.

    Such a rule watches nothing, and has what can be read of the rest: it can be told of and ended.
    """
    try:
        return RULE.validate_python(document), None
    except ValidationError:
        known = read_document(document)
        rule = {"name": name, **{each: getattr(known, each) for each in _NAMES}}
        return Rule(**{**rule, "trigger": _NOTHING}), known.problem


def unknown_name(trigger: Trigger) -> str | None:
    """Says which measure or dimension of a trigger there is not; None if there are all."""
    names = list(trigger.filter)
    if isinstance(trigger, Watch):
        if measure_called(trigger.measure) is None:
            return f"There is no measure {trigger.measure!r}."
        names += trigger.group_by
    unknown = next((name for name in names if name not in DIMENSIONS), None)
    return None if unknown is None else f"There is no dimension {unknown!r}."


def _in_parts(document: Mapping[str, Any]) -> Document:
    """Each field of a document that is no rule, as far as it is one of a rule."""
    found: dict[str, Any] = {}
    wrong = []
    for name, type_ in _TYPES.items():
        try:
            found[name] = type_.validate_python(document.get(name)) if name in document else None
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            wrong.append(f"{'.'.join(map(str, (name, *first['loc'])))}: {first['msg']}")
    why = wrong[0] if wrong else "a field is missing"
    known = {name: found[name] for name in _NAMES if found.get(name) is not None}
    return Document(**{**known, "trigger": None}, problem=f"What is stored cannot be read: {why}.")
