"""Arrays of Dask in Values: forward and backward wait, chunk by chunk, until they are asked for; or it is an error.

No computation is possible while a graph is made here: the scheduler raises.
"""

import copy
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

from autograd import Value, anomaly, checkpoint, draw, formula, grad, hvp, no_grad, rules, trace, value_and_grad
from autograd.backward import reverse
from autograd.errors import AutogradError, LibraryError

from ..any_library import CASES
from .numerical import assert_close

dask = pytest.importorskip("dask", reason="Dask is not installed")
da = pytest.importorskip("dask.array", reason="Dask's arrays are not installed")

# Operations that have no lazy form in Dask at all.
CANNOT_WAIT = {
    "sort", "partition", "vander", "poly", "roots", "unwrap", "interp", "convolve", "correlate", "linspace",
    "cofactor", "i0", "i0_derivative", "linalg.det", "linalg.slogdet.sign", "linalg.slogdet.logabsdet", "linalg.pinv",
    "linalg.lstsq.solution", "linalg.lstsq.residuals", "linalg.lstsq.s", "linalg.qr.Q", "linalg.qr.R",
    "linalg.eigh.eigenvalues", "linalg.eigh.eigenvectors", "linalg.eigvalsh",
    "linalg.eig.eigenvalues", "linalg.eig.eigenvectors", "linalg.svdvals",
}  # fmt: skip
# Those that do for some arguments only: an index of integers, a median along one axis, chunks as it wants them.
SOMETIMES = {
    "getitem", "scatter", "index_add", "index_set", "reshape", "ravel", "prod", "polyval",
    "median", "nanmedian", "quantile", "nanquantile", "percentile", "nanpercentile",
    "fft.fft", "fft.ifft", "fft.rfft", "fft.irfft", "fft.hfft", "fft.ihfft",
    "linalg.inv", "linalg.solve", "linalg.cholesky", "linalg.svd.U", "linalg.svd.S", "linalg.svd.Vh",
}  # fmt: skip


class ComputedError(Exception):
    pass


def never(*args, **keywords):
    raise ComputedError("something was computed")


@pytest.fixture(autouse=True)
def _waiting():
    """Nothing may be computed, and it is not pytest, which makes errors of warnings, that sees to it."""
    with dask.config.set(scheduler=never), warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*not implemented by Dask", FutureWarning)
        yield


def lazy(x, chunks=2):
    return da.from_array(np.asarray(x), chunks=chunks)


def result(x):
    assert isinstance(x, da.Array)
    return x.compute(scheduler="sync")


def empty(case):
    """Without entries, or without axes to go along: what Dask itself stumbles over."""
    return any(0 in x.shape or (x.ndim == 0 and case.op.name.startswith("cum")) for x in map(np.asarray, case.arrays))


def some(cases, of_each=6):
    """The first few cases of each operation."""
    groups = {}
    for case in cases:
        groups.setdefault(case.op.name, []).append(case)
    return [case for group in groups.values() for case in group[:of_each]]


@pytest.mark.parametrize("case", [pytest.param(case, id=case.id) for case in some(CASES)])
def test_an_operation_waits_or_says_that_it_cannot(case):
    leaves = [Value(lazy(x)) for x in case.arrays]
    try:
        y = case.of(*leaves)
        got = reverse([y], [lazy(case.seed)], wrt=leaves)
    except LibraryError as error:
        assert case.op.name in CANNOT_WAIT | SOMETIMES or empty(case)
        assert "not computed yet" in str(error) and "compute" in str(error)
        return
    assert case.op.name not in CANNOT_WAIT
    if empty(case):
        return
    assert_close(result(y._array), case.y, 1e-12)
    own = [Value(x) for x in case.arrays]
    wanted = reverse([case.of(*own)], [case.seed], wrt=own)
    for leaf, twin in zip(own, leaves, strict=True):
        if leaf in wanted:
            assert_close(result(got[twin]), wanted[leaf], 1e-10)


def test_the_readme_counts_them():
    always = {case.op.name for case in CASES} - CANNOT_WAIT - SOMETIMES
    counts = (
        f"{len(always)} in every case, {len(SOMETIMES)} for some arguments or chunks; {len(CANNOT_WAIT)} are refused"
    )
    assert counts in (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")


def test_the_lists_are_about_operations_that_there_are():
    assert {case.op.name for case in CASES} >= CANNOT_WAIT | SOMETIMES
    assert not CANNOT_WAIT & SOMETIMES


def loss_of(x, w, y):
    h = np.tanh(x @ w)
    return np.mean(np.where(h > 0, h, 0.1 * h) ** 2 - y[:, None] * h) + np.sqrt(np.sum(w * w))


def test_the_gradient_in_chunks_is_that_in_one_piece():
    rng = np.random.default_rng(0)
    x, w, y = rng.normal(size=(100, 3)), rng.normal(size=(3, 2)), rng.normal(size=100)
    wanted, weight = Value(w), Value(w)
    loss_of(x, wanted, y).backward()
    loss = loss_of(lazy(x, (30, 3)), weight, lazy(y, 30))
    loss.backward()
    assert isinstance(weight.grad, da.Array)
    for scheduler in ("sync", "threads"):
        got, share = dask.compute(loss.data, weight.grad, scheduler=scheduler)
        np.testing.assert_allclose(got, loss_of(x, w, y), rtol=1e-14)
        np.testing.assert_allclose(share, wanted.grad, rtol=1e-12)


def test_derivatives_of_any_order_and_of_the_data():
    rng = np.random.default_rng(0)
    x, w, y, v = rng.normal(size=(8, 3)), rng.normal(size=(3, 2)), rng.normal(size=8), rng.normal(size=(3, 2))
    chunks, ys = lazy(x, (3, 3)), lazy(y, 3)
    assert_close(result(hvp(lambda w: loss_of(chunks, w, ys))(w, v)), hvp(lambda w: loss_of(x, w, y))(w, v), 1e-10)
    assert_close(result(grad(loss_of)(chunks, w, ys)), grad(loss_of)(x, w, y), 1e-10)
    number, share = value_and_grad(loss_of, 1)(chunks, w, ys)
    assert_close(result(number), loss_of(x, w, y), 1e-12)
    assert share.shape == w.shape


def test_what_a_where_did_not_choose_has_no_say():
    x = Value(lazy([-1.0, 0.0, 2.0, 3.0]))
    np.where(x > 0, np.log(x) * np.sqrt(x), 0.0).sum().backward()
    x_ = Value(np.array([-1.0, 0.0, 2.0, 3.0]))
    with np.errstate(all="ignore"):
        np.where(x_ > 0, np.log(x_) * np.sqrt(x_), 0.0).sum().backward()
        assert_close(result(x.grad), x_.grad)


def test_a_checkpoint_waits():
    x, own = v(), Value(np.array([[3.0, 1.0, 2.0], [0.5, 0.1, 0.2], [1.0, 2.0, 3.0]]))
    for leaf in (x, own):
        checkpoint(lambda x: np.sum(np.tanh(x @ x)))(leaf).backward()
    assert_close(result(x.grad), own.grad, 1e-12)


def test_select_waits():
    x, own = v(), np.array([[3.0, 1.0, 2.0], [0.5, 0.1, 0.2], [1.0, 2.0, 3.0]])
    y = np.select([x > 2, x > 0.4], [x * x, -x], 7.0)
    assert_close(result(y.data), np.select([own > 2, own > 0.4], [own * own, -own], 7.0))
    y.sum().backward()
    assert_close(result(x.grad), np.select([own > 2, own > 0.4], [2 * own, -1.0], 0.0))


def test_leaves_add_up_and_stay_lazy():
    x = Value(lazy([1.0, 2.0, 3.0]))
    for _ in range(2):
        (x * x).sum().backward()
    assert_close(result(x.grad), np.array([4.0, 8.0, 12.0]))
    x.grad = 1.0
    assert_close(result(x.grad), np.ones(3))


def v():
    return Value(lazy([[3.0, 1.0, 2.0], [0.5, 0.1, 0.2], [1.0, 2.0, 3.0]]))


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (lambda: v()[lazy([True, False, True])], r"np\.where\(mask, v, 0\)"),
        (lambda: v()[np.array([0, 0, 2])], "getitem.*entry twice"),
        (lambda: np.sort(v()), "sort.*no form of sort that waits"),
        (lambda: np.linalg.det(v()), "linalg.det.*map_blocks"),
        (lambda: np.linalg.eigh(v()), "linalg.eigh"),
        (lambda: np.linalg.eig(v()), "linalg.eig"),
        (lambda: np.linalg.slogdet(v()), "linalg.slogdet"),
        (lambda: np.median(v(), axis=1).sum().backward(), "median"),
        (lambda: np.quantile(v(), 0.3, axis=0).sum().backward(), "quantile"),
        (lambda: np.polyval([1.0, 2.0], v()).sum().backward(), "polyval"),
        (lambda: np.histogram(v(), bins=3), r"np\.histogram has no form that waits"),
        (lambda: np.histogram_bin_edges(v()), "histogram_bin_edges"),
        (lambda: np.histogram([1.0, 2.0], weights=v()[0, :2]), "histogram"),
        (lambda: np.histogram2d(v()[0], v()[1]), "histogram2d"),
        (lambda: np.histogramdd(v()), "histogramdd"),
        (lambda: np.bincount(Value(lazy([0, 2, 1]))), "bincount"),
        (lambda: np.bincount(np.array([0, 2, 1]), weights=v()[0]), "bincount"),
        (lambda: np.cov(v(), aweights=lazy([1.0, 2.0, 1.0])), r"cov\(aweights=\.\.\.\)"),
        (lambda: np.piecewise(v()[0], [v()[0] < 1, v()[0] >= 1], [1.0, 2.0]), "piecewise"),
        (lambda: np.choose(Value(lazy([0, 1, 1])), [v()[0], v()[1]]), "choose"),
        (lambda: np.trim_zeros(v()[0]), "trim_zeros"),
        (lambda: np.repeat(v()[0], lazy([1, 2, 1])), "repeat"),
        (lambda: np.polymul(v()[0], v()[1]), "polymul"),
        (lambda: np.polydiv(v()[0], v()[1]), "polydiv"),
        (lambda: np.poly1d(v()[0]), "trim_zeros"),
        (lambda: np.gradient(v()[0], v()[1]), "gradient"),
        (lambda: np.searchsorted(v()[0], 1.0), "searchsorted"),
        (lambda: np.argsort(v()), "argsort"),
        (lambda: np.median(v()), "median.*along an axis"),
        (lambda: v().sum().item(), r"v\.item\(\).*v\.data\.compute\(\)"),
        (lambda: float(v().detach().sum()), r"float\(\).*v\.data\.compute\(\)"),
        (lambda: np.asarray(v().detach()), r"np\.asarray\(v\).*v\.data\.compute\(\)"),
        (lambda: bool(v().sum()), r"v\.data\.compute\(\)"),
        (lambda: v().tolist(), r"v\.data\.compute\(\)"),
        (lambda: 3.0 in v(), r"v\.data\.compute\(\)"),
    ],
)
def test_what_cannot_wait_is_refused(wrong, words):
    with pytest.raises(LibraryError, match=rf"(?s){words}") as caught:
        wrong()
    assert isinstance(caught.value, AutogradError) and isinstance(caught.value, TypeError)
    assert "Traceback" not in str(caught.value)


def test_a_shape_that_is_not_known_is_refused_at_once():
    x = lazy([3.0, 1.0, 2.0])
    some = x[x > 1.5]
    for use in (lambda: Value(some), lambda: Value(2.0) * some, lambda: np.tanh(v() @ v()[0]) + some):
        with pytest.raises(LibraryError, match=r"shape \(nan,\).*compute_chunk_sizes"):
            use()
    with dask.config.set(scheduler="sync"):
        y = Value(some.compute_chunk_sizes())
    assert y.shape == (2,)


def test_a_watch_for_what_is_not_finite_would_compute():
    with anomaly(), pytest.raises(LibraryError, match=r"anomaly\(\)"):
        np.log(v())


def test_where_dask_computes_unasked_it_does_so_outside_only():
    x = lazy([2.0, 1.0])
    with pytest.warns(FutureWarning, match="not implemented by Dask"), pytest.raises(ComputedError):
        np.sort(x)  # Dask's own way, which is as it was
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(LibraryError):
            np.sort(Value(x))


def test_shapes_sizes_and_words_are_known_without_computing():
    x = v()
    assert (x.shape, np.size(x), np.ndim(x), len(x), x.dtype) == ((3, 3), 9, 2, 3, np.float64)
    assert "dask.array" in repr(x)
    assert np.size(x, 0) == 3
    assert trace is not None
    with no_grad():
        assert not (x * 2).requires_grad
    y = (2 * x).sum()
    assert "Array (3, 3) float64" in draw(y).dot and "sum" in formula(y)
    with pytest.raises(LibraryError, match="trace"):
        trace(y)
    copy.copy(x)


def test_without_dask_nothing_of_it_is_imported():
    rules.everything()
    code = (
        "import sys, numpy as np, nn, autograd\n"
        "model = nn.MLP([2, 3, 1], seed=0)\n"
        "nn.mse(model(np.ones((4, 2))), np.ones((4, 1))).backward()\n"
        "nn.Adam(model.parameters()).step()\n"
        "print(sorted(name for name in sys.modules if name.split('.')[0] in ('dask', 'distributed', 'cupy')))\n"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


LARGE = """
import resource, sys
import numpy as np, dask, dask.array as da
from autograd import Value
import nn

rows, columns = 400_000, 100                                   # 320 MB, in chunks of 8 MB
model = nn.MLP([columns, 16, 1], seed=0)
optimizer = nn.SGD(model.parameters(), lr=0.01)
with dask.config.set(scheduler="threads", num_workers=2):
    def step(rows):
        random = da.random.default_rng(0)
        x = random.normal(size=(rows, columns), chunks=(10_000, columns))
        y = x[:, :1] * 2.0 - 1.0
        optimizer.zero_grad()
        nn.mse(model(x), y).backward()
        optimizer.step()
        return x.nbytes
    step(20_000)                                               # all is loaded, and all threads have begun
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    size = step(rows)
print(size, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="peak memory is read from Linux's resource usage")
def test_data_that_is_never_there_as_a_whole():
    done = subprocess.run([sys.executable, "-c", LARGE], capture_output=True, text=True, check=True)
    size, grown = map(int, done.stdout.split())
    assert size == 320_000_000
    assert grown < size / 4
