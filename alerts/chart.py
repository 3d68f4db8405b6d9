"""A small chart of a measure as PNG, for mails."""

from collections.abc import Callable
from datetime import datetime
from io import BytesIO
from typing import NamedTuple

from PIL import Image, ImageDraw, ImageFont

from alerts.messages import Points

WIDTH, HEIGHT = 600, 200
POINTS_AT_MOST = 500
_SCALE = 2  # of the pixels, for screens that have more of them
_MARGIN, _LABEL = 12, 18  # the height of a line of text
_PAPER, _INK, _GREY, _FRAME = "#ffffff", "#212121", "#757575", "#bdbdbd"
_LINE, _FILL, _BOUND = "#1565c0", "#e3f2fd", "#c62828"

# Writes a value with its unit.
Text = Callable[[float], str]


class Chart(NamedTuple):
    """What a picture shows: values over time, the bound, and the moment since which it fires."""

    points: Points
    bound: float | None = None
    fired_at: datetime | None = None

    def values(self) -> list[float]:
        """The values that there are; at least one."""
        return [value for _at, value in self.points if value is not None]

    def marks(self) -> bool:
        """Whether the moment of firing lies within the times shown."""
        first, last = self.points[0][0], self.points[-1][0]
        return self.fired_at is not None and first <= self.fired_at <= last


def described(chart: Chart, text: Text) -> str:
    """The numbers of a chart in words, for those who do not see it."""
    values, (first, _), (last, _) = chart.values(), chart.points[0], chart.points[-1]
    parts = [
        f"From {_time(first)} to {_time(last)} UTC",
        f"lowest {text(min(values))}",
        f"highest {text(max(values))}",
        f"last {text(values[-1])}",
    ]
    if chart.bound is not None:
        parts.append(f"bound {text(chart.bound)}")
    if chart.fired_at is not None:
        parts.append(f"fired at {_time(chart.fired_at)}")
    return ", ".join(parts)


def draw(chart: Chart, text: Text) -> bytes:
    """Returns a PNG of the values over time, with the bound and the moment of firing as lines."""
    image = Image.new("RGB", (WIDTH * _SCALE, HEIGHT * _SCALE), _PAPER)
    _Drawing(chart._replace(points=chart.points[-POINTS_AT_MOST:]), image).draw(text)
    written = BytesIO()
    image.save(written, format="PNG", optimize=True)
    return written.getvalue()


class _Drawing:
    """One chart on its picture, in the units of the picture."""

    def __init__(self, chart: Chart, image: Image.Image) -> None:
        self._chart = chart
        self._pen = ImageDraw.Draw(image)
        self._font = ImageFont.load_default(12 * _SCALE)
        self._left, self._right = _MARGIN * _SCALE, (WIDTH - _MARGIN) * _SCALE
        self._ceiling = (_MARGIN + _LABEL) * _SCALE
        self._floor = (HEIGHT - _MARGIN - _LABEL) * _SCALE
        levels = [*chart.values(), *([] if chart.bound is None else [chart.bound])]
        self._top, self._bottom = max(levels), min(levels)
        if self._top == self._bottom:
            self._bottom -= abs(self._top) or 1  # one level is drawn at the top
        self._first, self._last = chart.points[0][0], chart.points[-1][0]

    def draw(self, text: Text) -> None:
        """Draws everything, what matters most last."""
        pen, chart = self._pen, self._chart
        edge = (0, 0, WIDTH * _SCALE - 1, HEIGHT * _SCALE - 1)
        pen.rectangle(edge, outline=_FRAME, width=_SCALE)
        for run in _runs(chart.points):
            line = [(self._x(at), self._y(value)) for at, value in run]
            pen.polygon([(line[0][0], self._floor), *line, (line[-1][0], self._floor)], fill=_FILL)
        pen.line(((self._left, self._floor), (self._right, self._floor)), fill=_GREY, width=_SCALE)
        if chart.bound is not None:
            self._dashes(self._y(chart.bound))
        if chart.fired_at is not None and chart.marks():
            x = self._x(chart.fired_at)
            pen.line(((x, self._ceiling), (x, self._floor)), fill=_BOUND, width=_SCALE)
        for run in _runs(chart.points):
            line = [(self._x(at), self._y(value)) for at, value in run]
            pen.line(line, fill=_LINE, width=2 * _SCALE, joint="curve")
            if len(line) == 1 or run[-1][0] == self._last:
                self._dot(*line[-1])
        self._labels(text)

    def _labels(self, text: Text) -> None:
        """Above, the latest value and the bound; below, the times and the lowest level."""
        chart, above, below = self._chart, (_MARGIN - 6) * _SCALE, self._floor + 4 * _SCALE
        said = f"{text(chart.values()[-1])} at {_time(self._last)} UTC"
        self._pen.text((self._left, above), said, fill=_LINE, font=self._font)
        if chart.bound is not None:
            self._ends(f"bound {text(chart.bound)}", self._right, above, _BOUND)
        said = f"{_time(self._first)}, lowest {text(min(chart.values()))}"
        self._pen.text((self._left, below), said, fill=_INK, font=self._font)
        if chart.fired_at is not None and chart.marks():
            said = f"fired {chart.fired_at:%H:%M}"
            self._ends(said, max(self._x(chart.fired_at), self._right / 2), below, _BOUND)

    def _ends(self, text: str, x: float, y: float, colour: str) -> None:
        """Writes a text that ends there."""
        place = x - self._pen.textlength(text, font=self._font), y
        self._pen.text(place, text, fill=colour, font=self._font)

    def _dashes(self, y: float) -> None:
        for x in range(self._left, self._right, 8 * _SCALE):
            self._pen.line(((x, y), (x + 4 * _SCALE, y)), fill=_BOUND, width=_SCALE)

    def _dot(self, x: float, y: float) -> None:
        size = 4 * _SCALE
        self._pen.ellipse((x - size, y - size, x + size, y + size), fill=_LINE)

    def _x(self, at: datetime) -> float:
        span = self._last - self._first
        part = (at - self._first) / span if span else 0.5
        return self._left + part * (self._right - self._left)

    def _y(self, value: float) -> float:
        part = (value - self._bottom) / (self._top - self._bottom)
        return self._floor - part * (self._floor - self._ceiling)


def _runs(points: Points) -> list[list[tuple[datetime, float]]]:
    """The values with their times, apart where one is missing."""
    runs: list[list[tuple[datetime, float]]] = [[]]
    for at, value in points:
        if value is not None:
            runs[-1].append((at, value))
        elif runs[-1]:
            runs.append([])
    return [run for run in runs if run]


def _time(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M}"
