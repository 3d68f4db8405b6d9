"""Rules made of presets: a preset's document, with what is to be different in it."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from alerts.presets import PRESETS, Preset
from alerts.rules import RULE, Trigger

# The numbers of triggers by their names in inputs, as paths in a trigger's document.
NUMBERS: Mapping[str, tuple[str, ...]] = {
    "bound": ("comparison", "bound"),
    "factor": ("comparison", "factor"),
    "window": ("window_seconds",),
    "for": ("for_seconds",),
    "count": ("count",),
    "after": ("after_seconds",),
    "keepFiring": ("keep_firing_seconds",),
}
# Any name may stand in them.
_OPEN = frozenset({"filter", "labels"})


class PresetError(ValueError):
    """There is no such preset, or none of its parts is called so; it says what there is.

    ``name`` is that of the number that the preset lacks; None where something else is wrong.
    """

    def __init__(self, message: str, name: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.name = name


def preset_called(name: str) -> Preset:
    """Returns the preset; raises PresetError, which suggests a similar name."""
    preset = PRESETS.get(name)
    if preset is None:
        similar = get_close_matches(name, PRESETS, 1)
        hint = f"did you mean {similar[0]!r}?" if similar else f"there are {', '.join(PRESETS)}."
        raise PresetError(f"There is no preset {name[:100]!r}: {hint}")
    return preset


def numbers_of(preset: Preset) -> list[str]:
    """The names of the numbers that the preset has."""
    document = RULE.dump_python(preset.rule(), mode="json")["trigger"]
    return [name for name, path in NUMBERS.items() if _value(document, path) is not None]


def trigger_of(
    preset: Preset, numbers: Mapping[str, Any], filter: Mapping[str, tuple[str, ...]]
) -> Trigger:
    """Returns the preset's trigger with other numbers, for less; raises PresetError."""
    known, changes = numbers_of(preset), dict[str, Any]({"filter": filter})
    for name, value in numbers.items():
        if name not in known:
            message = f"The preset {preset.name} has no such number: it has {', '.join(known)}."
            raise PresetError(message, name)
        *way, last = NUMBERS[name]
        here = changes
        for part in way:
            here = here.setdefault(part, {})
        here[last] = value
    document = document_of(preset, {"trigger": changes})
    return RULE.validate_python(document).trigger


def document_of(preset: Preset, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the document of the preset's rule with other parts; raises PresetError.

    Objects are merged, those that say their `kind` replaced.
    """
    return _merged(RULE.dump_python(preset.rule(), mode="json"), changes, ())


def _merged(
    base: Mapping[str, Any], changes: Mapping[str, Any], path: tuple[str, ...]
) -> dict[str, Any]:
    merged = dict(base)
    for name, value in changes.items():
        if name not in base and path[-1:] not in {(each,) for each in _OPEN}:
            here = ".".join((*path, str(name)))
            raise PresetError(f"The preset has no {here}: there it has {', '.join(base)}.")
        before = base.get(name)
        if isinstance(before, Mapping) and isinstance(value, Mapping) and "kind" not in value:
            merged[name] = _merged(before, value, (*path, name))
        else:
            merged[name] = value
    return merged


def _value(document: Any, path: tuple[str, ...]) -> Any:
    for part in path:
        document = document.get(part) if isinstance(document, Mapping) else None
    return document
