"""A small chart of a measure as PNG, for mails."""

from collections.abc import Callable, Sequence
from datetime import datetime
from io import BytesIO

from PIL import Image, ImageDraw, ImageFont

WIDTH, HEIGHT = 600, 200
POINTS_AT_MOST = 500
_MARGIN = 12
_LABEL = 18  # the height of a line of text
_WHITE, _INK, _GREY = "#ffffff", "#212121", "#9e9e9e"
_LINE, _BOUND = "#1565c0", "#c62828"


# A time, and the value at it; None where there was nothing to measure.
Points = Sequence[tuple[datetime, float | None]]


def draw(points: Points, bound: float | None, text: Callable[[float], str]) -> bytes:
    """Returns a PNG of the values over time, with the bound as a line; at least one has a value.

    ``text`` writes a value with its unit.
    """
    shown = points[-POINTS_AT_MOST:]
    drawn = [value for _at, value in shown if value is not None]
    if bound is not None:
        drawn.append(bound)
    top, bottom = max(drawn), min(drawn)
    image = Image.new("RGB", (WIDTH, HEIGHT), _WHITE)
    pen, font = ImageDraw.Draw(image), ImageFont.load_default(12)
    left, right = _MARGIN, WIDTH - _MARGIN
    ceiling, floor = _MARGIN + _LABEL, HEIGHT - _MARGIN - _LABEL

    def height(value: float) -> float:
        return floor - (value - bottom) / ((top - bottom) or 1) * (floor - ceiling)

    step = (right - left) / max(1, len(shown) - 1)
    for run in _runs(shown):
        line = [(left + step * number, height(value)) for number, value in run]
        if len(line) > 1:
            pen.line(line, fill=_LINE, width=2)
        else:
            ((x, y),) = line
            pen.ellipse((x - 3, y - 3, x + 3, y + 3), fill=_LINE)
    pen.line(((left, floor), (right, floor)), fill=_GREY)
    if bound is not None:
        for x in range(left, right, 8):
            pen.line(((x, height(bound)), (x + 4, height(bound))), fill=_BOUND)
    (first, _), (last, _) = shown[0], shown[-1]
    pen.text((left, _MARGIN - 4), text(top), fill=_INK, font=font)
    pen.text((left, floor + 4), f"{first:%Y-%m-%d %H:%M}  ({text(bottom)})", fill=_INK, font=font)
    end = f"{last:%Y-%m-%d %H:%M} UTC"
    pen.text((right - pen.textlength(end, font=font), floor + 4), end, fill=_INK, font=font)
    written = BytesIO()
    image.save(written, format="PNG")
    return written.getvalue()


def _runs(points: Points) -> list[list[tuple[int, float]]]:
    """The values by their number, apart where one is missing."""
    runs: list[list[tuple[int, float]]] = [[]]
    for number, (_at, value) in enumerate(points):
        if value is not None:
            runs[-1].append((number, value))
        elif runs[-1]:
            runs.append([])
    return [run for run in runs if run]
