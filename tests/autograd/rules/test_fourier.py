"""Fourier transforms: of several axes, shifted, with every keyword; what a real input and a real spectrum get."""

import numpy as np
import pytest

from autograd import Value
from autograd.errors import NoRuleError
from autograd.op import registry

from ..numerical import assert_close, check, raw_gradients, weights

rng = np.random.default_rng(7)
X = rng.normal(size=(2, 4, 2))
Z = X + 1j * rng.normal(size=(2, 4, 2))

ONE_AXIS = [np.fft.fft, np.fft.ifft, np.fft.rfft, np.fft.irfft, np.fft.hfft, np.fft.ihfft]
SEVERAL = [np.fft.fftn, np.fft.ifftn, np.fft.rfftn, np.fft.irfftn]
OF_TWO = [np.fft.fft2, np.fft.ifft2, np.fft.rfft2, np.fft.irfft2]
OF_REAL = [np.fft.rfft, np.fft.ihfft, np.fft.rfftn, np.fft.rfft2]

KEYWORDS = {
    "as it is": {},
    "some axes": {"axes": (0, 1)},
    "axes from the end": {"axes": [-1, 0]},
    "cropped and padded": {"s": (2, 5), "axes": (1, -1)},
    "a length as it is": {"s": (-1, 3), "axes": (0, 1)},
    "ortho": {"norm": "ortho", "axes": (0,)},
    "forward": {"norm": "forward", "axes": (2, 1), "s": [3, 3]},
    "three axes, cropped and padded": {"s": (3, 3, 2), "axes": (2, 0, 1)},
    "an axis twice": {"axes": (1, 1)},
    "an axis twice, cropped and padded": {"s": (5, 3), "axes": (1, 1)},
}


def named(function):
    return function.__name__


@pytest.mark.parametrize("keywords", KEYWORDS.values(), ids=KEYWORDS)
@pytest.mark.parametrize("function", SEVERAL + OF_TWO, ids=named)
def test_of_several_axes(function, keywords):
    check(lambda x: function(x, **keywords), X)
    if function not in OF_REAL:
        check(lambda x: function(x, **keywords), Z)


@pytest.mark.parametrize("function", SEVERAL, ids=named)
def test_lengths_without_axes(function):
    with pytest.warns(DeprecationWarning, match="axes"):
        wanted = function(X, (3, 2))
    assert_close(function(Value(X), (3, 2)).data, wanted, tolerance=1e-14)


@pytest.mark.parametrize("shift", [np.fft.fftshift, np.fft.ifftshift], ids=named)
@pytest.mark.parametrize("axes", [None, 1, -1, (0, 2), [1]])
def test_shifts(shift, axes):
    check(lambda x: shift(x, axes=axes), X)
    check(lambda x: shift(x, axes), Z)
    check(shift, X[0, 0])
    odd = np.resize(X, (3, 5, 2))
    check(lambda x: shift(x, axes=axes), odd)
    np.testing.assert_array_equal(shift(Value(odd), axes).data, shift(odd, axes))
    np.testing.assert_array_equal(shift(Value(odd), np.int64(1)).data, shift(odd, 1))


@pytest.mark.parametrize("frequencies", [np.fft.fftfreq, np.fft.rfftfreq], ids=named)
def test_frequencies_have_a_gradient_in_the_spacing(frequencies):
    check(lambda d: frequencies(5, d), np.float64(0.3))
    check(lambda d: registry[frequencies](6, d=d), np.float64(0.3))
    np.testing.assert_allclose(registry[frequencies](6, 0.3), frequencies(6, 0.3), rtol=1e-15)


@pytest.mark.parametrize("function", ONE_AXIS, ids=named)
@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 6, 7])
@pytest.mark.parametrize("norm", ["backward", "ortho", "forward"])
def test_the_rule_is_the_transpose(function, n, norm):
    # A linear map of real numbers: the real part of conj(g) · f(x) is that of conj(f's transpose of g) · x.
    for m in (1, 2, 4, 5):
        real = rng.normal(size=(2, m))
        for x in [real] if function in OF_REAL else [real, real + 1j * rng.normal(size=(2, m))]:
            y = function(x, n, norm=norm)
            g = weights(y)
            (share,) = raw_gradients(lambda v: function(v, n, norm=norm), [x], g)
            assert share.dtype == x.dtype
            assert_close(np.sum(np.conj(share) * x).real, np.sum(np.conj(g) * y).real, tolerance=1e-13)


@pytest.mark.parametrize(("function", "n", "ends"), [(np.fft.irfft, 6, (0, 3)), (np.fft.hfft, 7, (0,))])
def test_what_numpy_does_not_read_has_no_gradient(function, n, ends):
    z = Value(Z[:, :, 0])
    function(z, n).backward(weights(np.zeros((2, n))))
    assert all((z.grad.imag[:, i] == (0 if i in ends else z.grad.imag[:, i])).all() for i in range(4))
    assert all((z.grad.imag[:, i] != 0).all() for i in range(4) if i not in ends)


@pytest.mark.parametrize("function", ONE_AXIS + SEVERAL + OF_TWO, ids=named)
def test_single_precision_stays(function):
    for x in (X, Z)[: 1 if function in OF_REAL else 2]:
        x = x.astype(np.complex64 if x.dtype.kind == "c" else np.float32)
        v = Value(x)
        y = function(v)
        assert y.dtype == function(x).dtype
        assert y.dtype in (np.float32, np.complex64)
        y.backward(weights(y.data).astype(y.dtype), create_graph=True)
        assert v.grad.dtype == x.dtype


def test_a_power_spectrum():
    check(lambda x: np.abs(np.fft.rfft(x)) ** 2, X)
    check(lambda x, k: np.fft.irfft(np.fft.rfft(x, 8) * np.fft.rfft(k, 8), 8), X[0, :, 0], X[1, :, 0])


def test_a_convolution_by_transforms_is_np_convolve():
    x, k, g = X[0, :, 0], X[1, :, 0], weights(np.zeros(7))
    by_transforms = raw_gradients(lambda x, k: np.fft.irfft(np.fft.rfft(x, 7) * np.fft.rfft(k, 7), 7), [x, k], g)
    for share, wanted in zip(by_transforms, raw_gradients(np.convolve, [x, k], g), strict=True):
        assert_close(share, wanted, tolerance=1e-14)


REFUSED = [
    (lambda x: np.fft.fft(x, 0), ValueError),
    (lambda x: np.fft.fft(x, axis=3), IndexError),
    (lambda x: np.fft.ifft(x, norm="other"), ValueError),
    (lambda x: np.fft.irfft(x[:1, :1, :1], axis=1), ValueError),
    (lambda x: np.fft.rfft(x * 1j), TypeError),
    (lambda x: np.fft.fftn(x, (2, 3), (0,)), ValueError),
    (lambda x: np.fft.fftn(x, axes=(0, 5)), IndexError),
    (lambda x: np.fft.fftn(x, axes=1), TypeError),
    (lambda x: np.fft.rfftn(x, (), ()), IndexError),
    (lambda x: np.fft.irfftn(x, (2, 0), (0, 1)), ValueError),
    (lambda x: np.fft.fft2(x[0, 0]), IndexError),
    (lambda x: np.fft.fftshift(x, 3), IndexError),
    (lambda x: np.fft.ifftshift(x, (0, 3)), IndexError),
]


@pytest.mark.parametrize(("call", "error"), REFUSED)
def test_refuses_what_numpy_refuses(call, error):
    for x in (X, Value(X)):
        with pytest.raises(error):
            call(x)


@pytest.mark.parametrize("function", ONE_AXIS + SEVERAL + OF_TWO, ids=named)
def test_out_is_refused(function):
    v = Value(X)
    with pytest.raises(NoRuleError):
        function(v, out=np.empty(np.shape(function(X)), np.result_type(function(X))))
