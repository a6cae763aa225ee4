"""Three kinds of work: one holds the interpreter's lock, one lets go of it, one only waits."""

from __future__ import annotations

import time

from cardoon import Celery

try:
    from PIL import Image, ImageFilter
except ImportError:
    Image = None  # type: ignore[assignment]

app = Celery("tasks")


@app.task
def darken(width: int) -> int:
    """Halves the brightness of a square picture, pixel by pixel, in plain Python."""
    picture = bytearray(range(256)) * (width * width // 256)
    for place, pixel in enumerate(picture):
        picture[place] = pixel // 2
    return sum(picture) // len(picture)


@app.task
def blur(width: int) -> list[int]:
    """Blurs a square picture by a library that is written in C."""
    picture = Image.linear_gradient("L").resize((width, width))
    return list(picture.filter(ImageFilter.GaussianBlur(20)).size)


@app.task
def download(seconds: float) -> float:
    """Waits, as for the network."""
    time.sleep(seconds)
    return seconds


def has_pillow() -> bool:
    return Image is not None
