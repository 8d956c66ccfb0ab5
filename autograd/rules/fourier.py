"""Fourier transforms. A formula is the rule in words.

A transform along one axis is a linear map with a symmetric matrix, scaled as `norm` says: its rule is the same
transform, of the upstream gradient. `n` crops the input or pads it with zeros, and the rule pads the gradient or crops
it. Transforms along several axes are composed of these.
"""

import numpy as np

from ..op import beside, call, composed, defop
from .calculus import padded
from .indexing import along


def fitted(g, a, axis):
    """`g`, cropped or padded with zeros to the length of `a`."""
    missing = np.shape(a)[axis] - np.shape(g)[axis]
    return padded(g, 0, missing, axis) if missing > 0 else along(g, axis, slice(np.shape(a)[axis]))


def counts(y, n, axis):
    """How often each bin of half a spectrum stands in the whole one, of length n.

    Twice, but for the first, and that in the middle of an even n. These two are real, and NumPy does not read the
    imaginary part that an input may have there: its gradient is 0.
    """
    bins = np.arange(n // 2 + 1)
    count = np.where((bins == 0) | (2 * bins == n), 1, 2).astype(np.int8)  # which leaves complex64 as it is
    return beside(np.reshape(count, (-1,) + (1,) * (np.ndim(y) - 1 - axis % np.ndim(y))), y)


def transformed(a):
    return [
        call(a(5)),
        call(a(4)),
        call(a(2, 6), axis=0),
        call(a(6, 2), 4, 0, "ortho"),
        call(a(6), 3),
        call(a(2, 4), 7, norm="forward"),
        call(a(3, 4, 2), n=6, axis=-2),
        call(a(2, 3), 1),
        call(a(3), 2, norm="backward"),
        call(a(0, 4)),
    ]


def whole_spectrum(transform):
    """The rule of a transform of complex numbers to as many."""

    def rule(g, y, a, n=None, axis=-1, norm=None, out=None):
        return fitted(transform(g, axis=axis, norm=norm), a, axis)

    return rule


def to_half(transform):
    """The rule of a transform of real numbers to half a spectrum; `transform` goes from there to real numbers."""

    def rule(g, y, a, n=None, axis=-1, norm=None, out=None):
        n = np.shape(a)[axis] if n is None else n
        return fitted(transform(g / counts(g, n, axis), n, axis, norm), a, axis)

    return rule


def from_half(transform):
    """The rule of a transform of half a spectrum to real numbers; `transform` goes from there to half a spectrum."""

    def rule(g, y, a, n=None, axis=-1, norm=None, out=None):
        return fitted(transform(g, axis=axis, norm=norm) * counts(g, np.shape(y)[axis], axis), a, axis)

    return rule


for _function, _rule, _formula in (
    (np.fft.fft, whole_spectrum(np.fft.fft), "fft(g)"),
    (np.fft.ifft, whole_spectrum(np.fft.ifft), "ifft(g)"),
    (np.fft.rfft, to_half(np.fft.hfft), "hfft(g), all but the first bin and that in the middle halved before"),
    (np.fft.hfft, from_half(np.fft.rfft), "rfft(g), all but the first bin and that in the middle doubled"),
    (np.fft.irfft, from_half(np.fft.ihfft), "ihfft(g), all but the first bin and that in the middle doubled"),
    (np.fft.ihfft, to_half(np.fft.irfft), "irfft(g), all but the first bin and that in the middle halved before"),
):
    defop(_function, _rule, name=f"fft.{_function.__name__}", formula=_formula, cases=transformed)


# ---------------------------------------------------------------- of several axes


def in_turn(a, s, axes):
    """The axes, and the length of the transform along each, in the forms that NumPy takes."""
    if s is None:
        s = np.shape(a) if axes is None else list(np.take(np.shape(a), axes))
    axes = range(-len(s), 0) if axes is None else axes
    if len(s) != len(axes):
        raise ValueError(f"a transform with s={s} and axes={axes}: give a length for each axis.")
    return [np.shape(a)[axis] if n == -1 else n if n is None else int(n) for n, axis in zip(s, axes, strict=True)], axes


def each_axis(transform, a, s, axes, norm):
    for n, axis in reversed(list(zip(s, axes, strict=True))):
        a = transform(a, n, axis, norm)
    return a


@composed(np.fft.fftn)
def fftn(a, s=None, axes=None, norm=None, out=None):
    return each_axis(np.fft.fft, a, *in_turn(a, s, axes), norm)


@composed(np.fft.ifftn)
def ifftn(a, s=None, axes=None, norm=None, out=None):
    return each_axis(np.fft.ifft, a, *in_turn(a, s, axes), norm)


@composed(np.fft.rfftn)
def rfftn(a, s=None, axes=None, norm=None, out=None):
    s, axes = in_turn(a, s, axes)
    return each_axis(np.fft.fft, np.fft.rfft(a, s[-1], axes[-1], norm), s[:-1], axes[:-1], norm)


@composed(np.fft.irfftn)
def irfftn(a, s=None, axes=None, norm=None, out=None):
    lengths, axes = in_turn(a, s, axes)
    for n, axis in zip(lengths[:-1], axes[:-1], strict=True):
        a = np.fft.ifft(a, n, axis, norm)
    return np.fft.irfft(a, None if s is None else lengths[-1], axes[-1], norm)


@composed(np.fft.fft2)
def fft2(a, s=None, axes=(-2, -1), norm=None, out=None):
    return fftn(a, s, axes, norm)


@composed(np.fft.ifft2)
def ifft2(a, s=None, axes=(-2, -1), norm=None, out=None):
    return ifftn(a, s, axes, norm)


@composed(np.fft.rfft2)
def rfft2(a, s=None, axes=(-2, -1), norm=None, out=None):
    return rfftn(a, s, axes, norm)


@composed(np.fft.irfft2)
def irfft2(a, s=None, axes=(-2, -1), norm=None, out=None):
    return irfftn(a, s, axes, norm)


# ---------------------------------------------------------------- shifts and frequencies


def halves(x, axes):
    axes = range(np.ndim(x)) if axes is None else axes
    return np.shape(x)[axes] // 2 if isinstance(axes, int | np.integer) else [np.shape(x)[axis] // 2 for axis in axes]


@composed(np.fft.fftshift)
def fftshift(x, axes=None):
    return np.roll(x, halves(x, axes), tuple(range(np.ndim(x))) if axes is None else axes)


@composed(np.fft.ifftshift)
def ifftshift(x, axes=None):
    return np.roll(x, np.negative(halves(x, axes)), tuple(range(np.ndim(x))) if axes is None else axes)


# NumPy does not hand these over: its own text works for a Value as the spacing, and comes to the same.


@composed(np.fft.fftfreq)
def fftfreq(n, d=1.0, device=None):
    return np.fft.fftfreq(n, device=device) / d


@composed(np.fft.rfftfreq)
def rfftfreq(n, d=1.0, device=None):
    return np.fft.rfftfreq(n, device=device) / d
