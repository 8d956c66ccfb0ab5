"""Pictures for notebooks, as SVG, with nothing to install: curves, points with what a classifier makes of the plane,
and images.

    pictures.lines({"relu": (x, nn.relu(x)), "tanh": (x, np.tanh(x))}, title="Two activations")
    pictures.scatter(x, y, regions=lambda points: model.predict(points).argmax(axis=1))
    pictures.images(digits[:20], titles=labels[:20])
    pictures.beside(one, another)
"""

from __future__ import annotations

import math
import struct
import zlib
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

import numpy as np

from autograd import Value

__all__ = ["Picture", "beside", "images", "lines", "scatter"]

BLUE, ORANGE, GREY = "#0072b2", "#d55e00", "#767676"
COLOURS = (BLUE, ORANGE, "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#000000", GREY)
"""Told apart by all eyes (Okabe and Ito); dashes and marks differ beside them."""
DASHES = ("", "7 3", "2 3", "9 3 2 3", "4 2", "12 4", "1 4", "6 2 2 2")
MARKS = (
    "M-3.4,0a3.4,3.4 0 1,0 6.8,0a3.4,3.4 0 1,0 -6.8,0z",
    "M-3.1,-3.1h6.2v6.2h-6.2z",
    "M0,-4.2L4,3H-4z",
    "M0,-4.6L4.6,0L0,4.6L-4.6,0z",
    "M-4,-1.3h2.7v-2.7h2.6v2.7h2.7v2.6h-2.7v2.7h-2.6v-2.7h-2.7z",
)
Range = tuple[float, float]


class Picture:
    """What the functions here return: shown by Jupyter, or written to a file.

    Attributes
    ----------
    name : str
        What it shows, for those who cannot see it.
    width, height : float
        In pixels.
    """

    def __init__(self, body: str, width: float, height: float, name: str):
        self.body, self.width, self.height, self.name = body, width, height, name

    def svg(self) -> str:
        """The picture, as SVG."""
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width:g} {self.height:g}" '
            f'width="{self.width:g}" height="{self.height:g}" style="max-width:100%;height:auto;background:#fff" '
            f'font-family="sans-serif" font-size="12" role="img" aria-label="{escape(self.name, quote=True)}">'
            f'<rect width="100%" height="100%" fill="#fff"/>{self.body}</svg>'
        )

    def _repr_svg_(self) -> str:
        return self.svg()

    def __repr__(self) -> str:
        return f"Picture({self.name!r}, {self.width:g}×{self.height:g}); .save(path) writes it as SVG"

    def save(self, path: str | Path) -> Path:
        """Write it to a file, as SVG. OSError if that cannot be."""
        path = Path(path)
        path.write_text(self.svg(), encoding="utf-8")
        return path


def beside(*pictures: Picture, columns: int | None = None) -> Picture:
    """Several pictures as one: in rows of so many, by default all in one.

    Raises
    ------
    ValueError
        If there are none, or `columns` is not positive.
    """
    columns = len(pictures) if columns is None else columns
    if columns < 1:
        raise ValueError("beside: at least one picture and one column are wanted.")
    parts, top, wide = [], 0.0, 0.0
    for start in range(0, len(pictures), columns):
        left, row = 0.0, pictures[start : start + columns]
        for picture in row:
            parts.append(f'<g transform="translate({left:g} {top:g})">{picture.body}</g>')
            left += picture.width
        wide, top = max(wide, left), top + max(picture.height for picture in row)
    return Picture("".join(parts), wide, top, "; ".join(dict.fromkeys(picture.name for picture in pictures)))


def lines(
    curves: Mapping[str, Any],
    *,
    title: str = "",
    x_label: str = "",
    y_label: str = "",
    log: bool = False,
    y_range: Range | None = None,
    size: tuple[float, float] = (360, 260),
) -> Picture:
    """Curves in one frame, with their names above.

    Parameters
    ----------
    curves : dict of str to array, or to (x, y)
        An array alone is drawn over 0, 1, 2, ... What is not finite leaves a gap.
    title, x_label, y_label : str
    log : bool
        A logarithmic scale upwards; what is not positive leaves a gap.
    y_range : (low, high), optional
        What is shown of y. Default: all.
    size : (width, height)
        In pixels.

    Returns
    -------
    Picture

    Raises
    ------
    ValueError
        If x and y differ in length, or no point is finite.

    Examples
    --------
    >>> import numpy as np
    >>> from nn import pictures
    >>> pictures.lines({"loss": [8, 4, 2, 1]}, log=True, x_label="epoch")
    Picture('loss', 360×260); .save(path) writes it as SVG
    """
    points = {}
    for name, curve in curves.items():
        x, y = curve if isinstance(curve, tuple) else (np.arange(len(curve)), curve)
        x, y = np.asarray(x, float), np.asarray(y, float)
        if x.shape != y.shape or x.ndim != 1:
            raise ValueError(f"lines: {name!r} has x of shape {x.shape} and y of shape {y.shape}; (n,) and (n,) go.")
        points[name] = x, np.log10(np.where(y > 0, y, np.nan)) if log else y
    known = np.concatenate([np.stack(p)[:, np.isfinite(p[0]) & np.isfinite(p[1])] for p in points.values()], axis=1)
    if not known.size:
        raise ValueError("lines: there is no finite point to show.")
    low, high = known.min(axis=1), known.max(axis=1)
    if y_range is not None:
        low[1], high[1] = np.log10(y_range) if log else y_range
    top, legend = _legend(list(points), size[0], title, lambda i: _stroke(i, 'd="M0,-4h22"'))
    counts = all((x == np.round(x)).all() for x, _ in points.values())
    frame, at = _axes(size, top, low, high, x_label, y_label, log, whole=counts)
    parts = []
    for i, (x, y) in enumerate(points.values()):
        whole, far = np.flatnonzero(np.isfinite(x) & np.isfinite(y)), 9 * (high[1] - low[1])
        across, up = at(x, np.clip(y, low[1] - far, high[1] + far))
        runs = np.split(whole, np.flatnonzero(np.diff(whole) > 1) + 1)
        path = "".join("M" + "L".join(f"{across[k]:.1f},{up[k]:.1f}" for k in run) for run in runs if len(run))
        for (k,) in (run for run in runs if len(run) == 1):  # a point by itself has no line
            parts.append(f'<g transform="translate({across[k]:.1f} {up[k]:.1f})">{_mark(i)}</g>')
        parts.append(_stroke(i, f'd="{path}" stroke-linejoin="round" stroke-linecap="round"'))
    inside = f'<svg x="56" y="{top}" width="{size[0] - 70:g}" height="{size[1] - top - 42:g}" viewBox="56 {top} '
    inside += f'{size[0] - 70:g} {size[1] - top - 42:g}">{"".join(parts)}</svg>'  # cuts off what is out of range
    return Picture(frame + inside + legend, *size, title or ", ".join(points))


def scatter(
    points: Any,
    labels: Any = None,
    *,
    regions: Callable[[np.ndarray], Any] | None = None,
    names: Sequence[str] | None = None,
    title: str = "",
    x_range: Range | None = None,
    y_range: Range | None = None,
    size: tuple[float, float] = (330, 330),
) -> Picture:
    """Points in the plane, with a colour and a mark for each class, over what a model makes of the plane.

    Parameters
    ----------
    points : array, shape (n, 2)
    labels : array of int, shape (n,), optional
        Classes, from 0 on.
    regions : callable, optional
        From points of shape (m, 2) to classes, integers of shape (m,); or to floating numbers, from 0 for class 0 to 1
        for class 1, such as probabilities.
    names : sequence of str, optional
        Of the classes, to be shown above.
    title : str
    x_range, y_range : (low, high), optional
        What is shown. Default: all points, with a margin.
    size : (width, height)
        In pixels.

    Returns
    -------
    Picture

    Raises
    ------
    ValueError
        If the shapes do not fit.

    Examples
    --------
    >>> import nn
    >>> x, y = nn.data.moons(50, seed=0)
    >>> nn.pictures.scatter(x, y, regions=lambda points: (points[:, 1] < 0.25).astype(int), title="A straight border")
    Picture('A straight border', 330×330); .save(path) writes it as SVG
    """
    points = np.asarray(points, float)
    labels = np.zeros(len(points), int) if labels is None else np.asarray(labels).astype(int)
    if points.ndim != 2 or points.shape[1] != 2 or labels.shape != points.shape[:1]:
        raise ValueError(
            f"scatter: points of shape {points.shape} and labels of shape {labels.shape}; (n, 2), (n,) go."
        )
    low, high = (points.min(axis=0), points.max(axis=0)) if len(points) else (np.zeros(2), np.ones(2))
    margin = np.where(high > low, 0.08 * (high - low), 0.5)
    low, high = low - margin, high + margin
    for axis, limits in enumerate((x_range, y_range)):
        if limits is not None:
            low[axis], high[axis] = limits
    kinds = range(max(len(names or ()), int(labels.max(initial=0)) + 1))
    entries = list(names) if names else []
    top, legend = _legend(entries, size[0], title, lambda i: f'<g transform="translate(11 -4)">{_mark(i)}</g>')
    frame, at = _axes(size, top, low, high, "", "", False, tight=True)
    (x0, x1), (y0, y1) = at(np.array([low[0], high[0]]), np.array([low[1], high[1]]))
    if regions is not None:
        n = 150
        middle = (np.arange(n) + 0.5) / n
        grid = np.stack(np.meshgrid(low[0] + middle * (high - low)[0], high[1] - middle * (high - low)[1]), axis=-1)
        found = regions(grid.reshape(-1, 2))
        found = np.asarray(found.data if isinstance(found, Value) else found).reshape(n, n)
        tints = 1 - 0.35 * (1 - np.array([_rgb(colour) for colour in COLOURS]))
        if found.dtype.kind == "f":
            share = np.clip(found, 0, 1)[..., None]
            whites = 1 - np.abs(2 * share - 1)  # white where it is undecided
            shades = np.where(share < 0.5, tints[0], tints[1]) * (1 - whites) + whites
        else:
            shades = tints[found.astype(int) % len(tints)]
        frame = _image(shades, x0, y1, x1 - x0, y0 - y1, smooth=True) + frame
    shown = (points >= low).all(axis=1) & (points <= high).all(axis=1)
    dots = []
    for kind in kinds:
        across, up = at(*points[shown & (labels == kind)].T)
        for a, b in zip(across, up, strict=True):
            dots.append(f'<g transform="translate({a:.1f} {b:.1f})">{_mark(kind)}</g>')
    return Picture(frame + "".join(dots) + legend, *size, title or "points in the plane")


def images(
    pixels: Any,
    *,
    titles: Sequence[Any] | None = None,
    columns: int = 10,
    scale: float = 56,
    signed: bool = False,
    limits: Range | None = None,
    title: str = "",
) -> Picture:
    """Images in a grid.

    Parameters
    ----------
    pixels : array, shape (n, height, width) or (n, 1, height, width)
    titles : sequence, optional
        What stands above each.
    columns : int
    scale : float
        The height of an image, in pixels of the screen.
    signed : bool
        Blue below 0, white at 0, orange above; else from white, the lowest number, to black, the highest.
    limits : (low, high), optional
        The numbers for the ends of the colours. Default: the lowest and highest of all images.
    title : str

    Returns
    -------
    Picture

    Raises
    ------
    ValueError
        If the shape is another, or there are no images, or not as many titles.

    Examples
    --------
    >>> import nn
    >>> pixels, labels = nn.data.digits()
    >>> nn.pictures.images(pixels[:20], titles=labels[:20], title="Digits")
    Picture('Digits', 640×188); .save(path) writes it as SVG
    """
    x = np.asarray(pixels, float)
    x = x[:, 0] if x.ndim == 4 and x.shape[1] == 1 else x
    if x.ndim != 3 or not x.size or (titles is not None and len(titles) != len(x)):
        raise ValueError(
            f"images: pixels of shape {np.shape(pixels)} and {'no' if titles is None else len(titles)} titles; "
            f"(n, height, width), n > 0, and as many titles or none are wanted."
        )
    low, high = limits or ((-np.abs(x).max(), np.abs(x).max()) if signed else (x.min(), x.max()))
    share = np.clip((x - low) / ((high - low) or 1), 0, 1)[..., None]
    if signed:
        ends = np.where(share < 0.5, _rgb(BLUE), _rgb(ORANGE))
        share = np.abs(2 * share - 1)
    else:
        ends = np.zeros(3)
    shades = 1 + share * (ends - 1)
    wide, above, top = scale * x.shape[2] / x.shape[1], 17 if titles is not None else 0, 26 if title else 4
    parts = [f'<text x="6" y="17" font-weight="bold" fill="#111">{escape(title)}</text>'] if title else []
    for i, shade in enumerate(shades):
        left, y = 4 + (i % columns) * (wide + 8), top + (i // columns) * (scale + above + 8)
        if titles is not None:
            parts.append(
                f'<text x="{left + wide / 2:g}" y="{y + 13:g}" text-anchor="middle" fill="#111">'
                f"{escape(str(titles[i]))}</text>"
            )
        parts.append(_image(shade, left, y + above, wide, scale))
        parts.append(f'<rect x="{left:g}" y="{y + above:g}" width="{wide:g}" height="{scale:g}" {BORDER}/>')
    rows = -(-len(x) // columns)
    across = min(columns, len(x)) * (wide + 8)
    return Picture(
        "".join(parts), max(across, 7.5 * len(title) + 12), top + rows * (scale + above + 8), title or "images"
    )


# -------------------------------------------------------------------- what they share

BORDER = 'fill="none" stroke="#bbb"'


def _axes(
    size: tuple[float, float],
    top: float,
    low: Any,
    high: Any,
    x_label: str,
    y_label: str,
    log: bool,
    tight: bool = False,
    whole: bool = False,
) -> tuple[str, Callable[[Any, Any], tuple[Any, Any]]]:
    """A frame with round numbers, and where in it a point is."""
    flat = high - low < 1e-12 * np.maximum(np.abs(high), 1e-300)
    low[flat], high[flat] = low[flat] - 0.5, high[flat] + 0.5
    ticks = [t for t in _ticks(low[0], high[0]) if t == round(t) or not whole], _ticks(low[1], high[1], log)
    if not tight:
        low[1], high[1] = min(low[1], ticks[1][0]), max(high[1], ticks[1][-1])
    x0, x1, y0, y1 = 56, size[0] - 14, size[1] - 42, top

    def at(x: Any, y: Any) -> tuple[Any, Any]:
        return x0 + (x1 - x0) * (x - low[0]) / (high[0] - low[0]), y0 + (y1 - y0) * (y - low[1]) / (high[1] - low[1])

    parts = []
    for tick in ticks[1]:
        y, text = at(low[0], tick)[1], f"{10**tick:.3g}" if log else f"{tick:.6g}"
        parts.append(f'<path d="M{x0},{y:.1f}H{x1:g}" stroke="#000" stroke-opacity="0.12"/>')
        parts.append(f'<text x="{x0 - 7}" y="{y + 4:.1f}" text-anchor="end" fill="#333">{text}</text>')
    for tick in ticks[0]:
        x = at(tick, low[1])[0]
        parts.append(f'<path d="M{x:.1f},{y0:g}V{y1:g}" stroke="#000" stroke-opacity="0.12"/>')
        parts.append(f'<text x="{x:.1f}" y="{y0 + 17:g}" text-anchor="middle" fill="#333">{tick:.6g}</text>')
    middle = f"{(x0 + x1) / 2:g}", f"{(y0 + y1) / 2:g}"
    parts.append(f'<text x="{middle[0]}" y="{size[1] - 7:g}" text-anchor="middle" fill="#333">{escape(x_label)}</text>')
    parts.append(
        f'<text transform="translate(13 {middle[1]}) rotate(-90)" text-anchor="middle" fill="#333">'
        f"{escape(y_label)}</text>"
    )
    parts.append(f'<rect x="{x0}" y="{y1:g}" width="{x1 - x0:g}" height="{y0 - y1:g}" {BORDER}/>')
    return "".join(parts), at


def _ticks(low: float, high: float, log: bool = False) -> list[float]:
    """Some round numbers from `low` to `high`; if `log`, of what are their decimal logarithms."""
    if high <= low:
        return [low]
    if log:
        for digits in ((1,), (1, 3), (1, 2, 5), range(1, 10)):
            powers = range(math.floor(low), math.ceil(high) + 1)
            found = [t for k in powers for t in (k + math.log10(d) for d in digits) if low - 1e-9 <= t <= high + 1e-9]
            if len(found) > 2:
                return found[:: -(-len(found) // 7)]
    step = 10 ** math.floor(math.log10((high - low) / 3))
    step *= next(k for k in (5, 2, 1) if (high - low) / (k * step) >= 2.5 or k == 1)
    first = math.ceil(low / step - 1e-9)
    return [round(k * step, 12) for k in range(first, math.floor(high / step + 1e-9) + 1)]


def _legend(names: Sequence[str], width: float, title: str, sample: Callable[[int], str]) -> tuple[float, str]:
    """Title and names above a frame, in as many lines as they need, and where the frame may begin."""
    parts, x, y = [], 56.0, 8.0
    if title:
        y += 14
        parts.append(f'<text x="{x:g}" y="{y:g}" font-weight="bold" fill="#111">{escape(title)}</text>')
    if names and names != [""]:
        y += 17
    for i, name in enumerate(names):
        wide = 28 + 6.6 * len(name) + 14
        if x > 56 and x + wide > width:
            x, y = 56.0, y + 17
        if name:
            parts.append(
                f'<g transform="translate({x:g} {y:g})">{sample(i)}<text x="27" fill="#111">{escape(name)}</text></g>'
            )
        x += wide
    return y + 10, "".join(parts)


def _stroke(number: int, path: str) -> str:
    dash = DASHES[number % len(DASHES)]
    dash = f' stroke-dasharray="{dash}"' if dash else ""
    return f'<path {path} fill="none" stroke="{COLOURS[number % len(COLOURS)]}" stroke-width="2"{dash}/>'


def _mark(number: int) -> str:
    shape, colour = MARKS[number % len(MARKS)], COLOURS[number % len(COLOURS)]
    return f'<path d="{shape}" fill="{colour}" stroke="#fff" stroke-width="0.8"/>'


def _rgb(colour: str) -> np.ndarray:
    return np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])


def _image(shades: np.ndarray, x: float, y: float, width: float, height: float, smooth: bool = False) -> str:
    """Colours, shape (rows, columns, 3) from 0 to 1, as a PNG inside the SVG."""
    bytes_ = np.round(255 * shades).astype(np.uint8)
    rows = b"".join(b"\0" + row.tobytes() for row in bytes_)

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    head = struct.pack(">IIBBBBB", bytes_.shape[1], bytes_.shape[0], 8, 2, 0, 0, 0)
    parts = chunk(b"IHDR", head), chunk(b"IDAT", zlib.compress(rows, 9)), chunk(b"IEND", b"")
    png = b64encode(b"\x89PNG\r\n\x1a\n" + b"".join(parts)).decode()
    style = "" if smooth else ' style="image-rendering:pixelated"'
    return (
        f'<image x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" preserveAspectRatio="none"{style} '
        f'href="data:image/png;base64,{png}"/>'
    )
