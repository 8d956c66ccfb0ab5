"""The same functions, with the same numbers, in PyTorch: values, gradients and Hessian-vector products."""

import numpy as np
import pytest

from autograd import Value, log_softmax, logsumexp, relu, sigmoid, softmax
from autograd.backward import reverse

torch = pytest.importorskip("torch", reason="PyTorch, to compare with, is not installed (pip install .[bench])")

INDEX = np.array([2, 0, 2])
QUANTILES = torch.tensor([0.1, 0.8], dtype=torch.float64)
MASK = torch.tensor(INDEX > 0)
GRID = np.array([0.0, 0.3, 1.1, 1.9])

FIVE, SPREAD = 5 * np.eye(3), np.diag([8.0, 16.0, 24.0])
T_FIVE, T_SPREAD = torch.tensor(FIVE), torch.tensor(SPREAD)

# name: function here, function there, shapes of the inputs (drawn around 0, or positive if "+" stands first)
PAIRS = {
    "add": (np.add, torch.add, (3, 1), (1, 4)),
    "divide": (np.divide, torch.div, "+", (2, 3), (3,)),
    "power": (np.power, torch.pow, "+", (2, 3), (3,)),
    "remainder": (np.remainder, torch.remainder, (2, 3), (1,)),
    "fmod": (np.fmod, torch.fmod, (2, 3), (1,)),
    "hypot": (np.hypot, torch.hypot, (2, 3), (3,)),
    "arctan2": (np.arctan2, torch.atan2, (2, 3), (3,)),
    "copysign": (np.copysign, torch.copysign, (2, 3), (3,)),
    "logaddexp": (np.logaddexp, torch.logaddexp, (2, 3), (3,)),
    "logaddexp2": (np.logaddexp2, torch.logaddexp2, (2, 3), (3,)),
    "expm1": (np.expm1, torch.expm1, (2, 3)),
    "log1p": (np.log1p, torch.log1p, "+", (2, 3)),
    "log2": (np.log2, torch.log2, "+", (2, 3)),
    "exp2": (np.exp2, torch.exp2, (2, 3)),
    "tan": (np.tan, torch.tan, (2, 3)),
    "arcsinh": (np.arcsinh, torch.asinh, (2, 3)),
    "sinc": (np.sinc, torch.sinc, (2, 3)),
    "sigmoid": (sigmoid, torch.sigmoid, (2, 3)),
    "relu": (relu, torch.relu, (2, 3)),
    "fmax": (np.fmax, torch.fmax, (2, 3), (3,)),
    "minimum": (np.minimum, torch.minimum, (2, 3), (3,)),
    "where": (lambda a, b: np.where(INDEX > 0, a, b), lambda a, b: torch.where(MASK, a, b), (2, 3), (3,)),
    "clip": (lambda a: np.clip(a, -0.5, 0.5), lambda a: torch.clamp(a, -0.5, 0.5), (3, 4)),
    "sum": (lambda a: np.sum(a, (0, 2)), lambda a: torch.sum(a, (0, 2)), (2, 3, 4)),
    "max": (lambda a: np.max(a, 1), lambda a: torch.amax(a, 1), (2, 3, 4)),
    "prod": (lambda a: np.prod(a, 1), lambda a: torch.prod(a, 1), (2, 3, 4)),
    "var": (lambda a: np.var(a, 1, ddof=1), lambda a: torch.var(a, 1), (2, 3)),
    "std": (lambda a: np.std(a, 0), lambda a: torch.std(a, 0, correction=0), (4, 3)),
    "cumsum": (lambda a: np.cumsum(a, 1), lambda a: torch.cumsum(a, 1), (2, 3)),
    "quantile": (lambda a: np.quantile(a, 0.4, 1), lambda a: torch.quantile(a, 0.4, 1), (2, 5)),
    "quantiles": (lambda a: np.quantile(a, [0.1, 0.8]), lambda a: torch.quantile(a, QUANTILES), (7,)),
    "midpoint": (
        lambda a: np.quantile(a, 0.3, 0, method="midpoint"),
        lambda a: torch.quantile(a, 0.3, 0, interpolation="midpoint"),
        (4, 2),
    ),
    "median": (lambda a: np.median(a, 1), lambda a: torch.median(a, 1).values, (2, 5)),
    "cov": (np.cov, torch.cov, (3, 5)),
    "cov, weighted": (
        lambda a: np.cov(a, fweights=INDEX, aweights=[0.5, 1, 2], ddof=0),
        lambda a: torch.cov(a, correction=0, fweights=torch.tensor(INDEX), aweights=torch.tensor([0.5, 1, 2]).double()),
        (2, 3),
    ),
    "corrcoef": (np.corrcoef, torch.corrcoef, (3, 5)),
    "nansum": (lambda a: np.nansum(np.log(a), 1), lambda a: torch.nansum(torch.log(a), 1), "+", (2, 3)),
    "nanmean": (lambda a: np.nanmean(np.log(a), 1), lambda a: torch.nanmean(torch.log(a), 1), "+", (2, 3)),
    "logaddexp.reduce": (lambda a: np.logaddexp.reduce(a, 1), lambda a: torch.logsumexp(a, 1), (2, 3)),
    "maximum.accumulate": (lambda a: np.maximum.accumulate(a, 1), lambda a: torch.cummax(a, 1).values, (2, 5)),
    "cumprod": (lambda a: np.cumprod(a, 1), lambda a: torch.cumprod(a, 1), (2, 3)),
    "logsumexp": (lambda a: logsumexp(a, 1), lambda a: torch.logsumexp(a, 1), (2, 3)),
    "softmax": (lambda a: softmax(a, 0), lambda a: torch.softmax(a, 0), (2, 3)),
    "log_softmax": (log_softmax, lambda a: torch.log_softmax(a, -1), (2, 3)),
    "matmul": (np.matmul, torch.matmul, (5, 1, 2, 3), (4, 3, 2)),
    "tensordot": (lambda a, b: np.tensordot(a, b, 2), lambda a, b: torch.tensordot(a, b, 2), (2, 3, 4), (3, 4, 2)),
    "einsum": (lambda *x: np.einsum("bij,jk->bk", *x), lambda *x: torch.einsum("bij,jk->bk", *x), (2, 3, 4), (4, 2)),
    "take": (lambda a: np.take(a, INDEX, 1), lambda a: torch.index_select(a, 1, torch.tensor(INDEX)), (2, 3)),
    "getitem": (lambda a: a[INDEX, 1:], lambda a: a[INDEX, 1:], (3, 4)),
    "sort": (lambda a: np.sort(a, 0), lambda a: torch.sort(a, 0).values, (4, 3)),
    "diagonal": (lambda a: np.diagonal(a, 1), lambda a: torch.diagonal(a, 1), (3, 4)),
    "tril": (lambda a: np.tril(a, -1), lambda a: torch.tril(a, -1), (3, 4)),
    "roll": (lambda a: np.roll(a, 2, 1), lambda a: torch.roll(a, 2, 1), (2, 3)),
    "repeat": (lambda a: np.repeat(a, 2, 1), lambda a: torch.repeat_interleave(a, 2, 1), (2, 3)),
    "tile": (lambda a: np.tile(a, (2, 3)), lambda a: torch.tile(a, (2, 3)), (2, 3)),
    "hstack": (lambda a, b: np.hstack([a, b, a]), lambda a, b: torch.hstack([a, b, a]), (2, 3), (2, 1)),
    "partition": (lambda a: np.partition(a, 2)[..., 2], lambda a: torch.kthvalue(a, 3).values, (3, 5)),
    "pad, reflected": (
        lambda a: np.pad(a, ((0, 0), (2, 1)), "reflect"),
        lambda a: torch.nn.functional.pad(a, (2, 1), "reflect"), (2, 4),
    ),
    "pad, edge": (
        lambda a: np.pad(a, ((0, 0), (2, 1)), "edge"),
        lambda a: torch.nn.functional.pad(a, (2, 1), "replicate"), (2, 4),
    ),
    "meshgrid": (
        lambda a, b: np.stack(np.meshgrid(a, b, indexing="ij")),
        lambda a, b: torch.stack(torch.meshgrid(a, b, indexing="ij")), (2,), (3,),
    ),
    "dstack": (lambda a, b: np.dstack([a, b]), lambda a, b: torch.dstack([a, b]), (2, 3), (2, 3)),
    "rot90": (lambda a: np.rot90(a, 3), lambda a: torch.rot90(a, 3), (2, 3)),
    "block": (lambda a, b: np.block([[a, b]]), lambda a, b: torch.cat([a, b], 1), (2, 3), (2, 1)),
    "fft": (lambda a: np.abs(np.fft.fft(a, 5)), lambda a: torch.fft.fft(a, 5).abs(), (2, 4)),
    "ifftn": (
        lambda a: np.abs(np.fft.ifftn(a, norm="ortho")), lambda a: torch.fft.ifftn(a, norm="ortho").abs(), (2, 3)
    ),
    "rfft and irfft": (
        lambda a: np.fft.irfft(np.fft.rfft(a, 7) ** 2, 6),
        lambda a: torch.fft.irfft(torch.fft.rfft(a, 7) ** 2, 6), (2, 5),
    ),
    "ihfft and hfft": (
        lambda a: np.fft.hfft(np.fft.ihfft(a) ** 2, 5), lambda a: torch.fft.hfft(torch.fft.ihfft(a) ** 2, 5), (2, 6)
    ),
    "rfft2 and irfft2": (
        lambda a: np.fft.irfft2(np.fft.rfft2(a) ** 2), lambda a: torch.fft.irfft2(torch.fft.rfft2(a) ** 2), (2, 3, 4)
    ),
    "fftshift": (lambda a: np.fft.fftshift(a, 1), lambda a: torch.fft.fftshift(a, 1), (2, 5)),
    "diff": (
        lambda a, b: np.diff(a, 2, 0, prepend=b), lambda a, b: torch.diff(a, 2, 0, prepend=b), (3, 2), (1, 2)
    ),
    "gradient": (
        lambda a: np.gradient(a, GRID, axis=1, edge_order=2),
        lambda a: torch.gradient(a, spacing=(torch.tensor(GRID),), dim=1, edge_order=2)[0], (2, 4),
    ),
    "trapezoid": (np.trapezoid, torch.trapezoid, (2, 4), (4,)),
    "vander": (lambda a: np.vander(a, 4, True), lambda a: torch.linalg.vander(a, N=4), (3,)),
    # matrices: of a general one, one around 5, and one that is Hermitian
    "vecdot": (np.vecdot, torch.linalg.vecdot, (2, 3), (3,)),
    "vecdot of complex": (
        lambda a, b: np.abs(np.vecdot(a + 1j, b - 2j * b)), lambda a, b: torch.linalg.vecdot(a + 1j, b - 2j * b).abs(),
        (2, 3), (2, 3),
    ),
    "kron": (np.kron, torch.kron, (2, 3), (3, 1, 2)),
    "cross": (np.cross, torch.linalg.cross, (2, 3), (2, 3)),
    "multi_dot": (
        lambda *x: np.linalg.multi_dot(x), lambda *x: torch.linalg.multi_dot(x), (3, 4), (4, 1), (1, 2), (2, 3)
    ),
    "matrix_power": (lambda a: np.linalg.matrix_power(a, 5), lambda a: torch.linalg.matrix_power(a, 5), (2, 2, 2)),
    "det": (np.linalg.det, torch.linalg.det, (2, 3, 3)),
    "slogdet": (lambda a: np.linalg.slogdet(a)[1], lambda a: torch.linalg.slogdet(a)[1], (4, 3, 3)),
    "slogdet of complex": (
        lambda a, b: (lambda s, d: np.real(s) * 2 + np.imag(s) + d)(*np.linalg.slogdet(a + 1j * b)),
        lambda a, b: (lambda s, d: s.real * 2 + s.imag + d)(*torch.linalg.slogdet(a + 1j * b)), (3, 3), (3, 3),
    ),
    "inv": (lambda a: np.linalg.inv(a + FIVE), lambda a: torch.linalg.inv(a + T_FIVE), (2, 3, 3)),
    "pinv": (lambda a: np.linalg.pinv(a + FIVE[:2]), lambda a: torch.linalg.pinv(a + T_FIVE[:2]), (2, 2, 3)),
    "solve": (
        lambda a, b: np.linalg.solve(a + FIVE, b), lambda a, b: torch.linalg.solve(a + T_FIVE, b), (2, 3, 3), (3, 4)
    ),
    "lstsq": (
        lambda a, b: np.linalg.lstsq(a + FIVE[:, :2], b)[0],
        lambda a, b: torch.linalg.lstsq(a + T_FIVE[:, :2], b)[0], (3, 2), (3, 2),
    ),
    "tensorinv": (
        lambda a: np.linalg.tensorinv(np.reshape(a + np.diag([9.0] * 6), (2, 3, 6))),
        lambda a: torch.linalg.tensorinv((a + 9 * torch.eye(6, dtype=float)).reshape(2, 3, 6)), (6, 6),
    ),
    "cholesky": (
        lambda a: np.linalg.cholesky(a @ np.swapaxes(a, 1, 2) + FIVE),
        lambda a: torch.linalg.cholesky(a @ a.mT + T_FIVE), (2, 3, 3),
    ),
    "cholesky of complex": (
        lambda a, b: (lambda z: np.abs(np.linalg.cholesky(z @ np.conj(z.T) + FIVE)))(a + 1j * b),
        lambda a, b: (lambda z: torch.linalg.cholesky(z @ z.mH + T_FIVE).abs())(a + 1j * b), (3, 3), (3, 3),
    ),
    "qr": (
        lambda a: (lambda q, r: q**2 @ r**2)(*np.linalg.qr(a + FIVE)),
        lambda a: (lambda q, r: q**2 @ r**2)(*torch.linalg.qr(a + T_FIVE)), (2, 3, 3),
    ),
    "svd": (
        lambda a: (lambda u, s, v: u[..., :2] ** 2 * s @ v[..., :2, :] ** 2)(*np.linalg.svd(a + SPREAD[:, :2], False)),
        lambda a: (lambda u, s, v: (u**2 * s) @ v**2)(*torch.linalg.svd(a + T_SPREAD[:, :2], False)), (3, 2),
    ),
    "svd of complex": (
        lambda a, b: np.abs((lambda u, s, v: (u / s) @ v)(*np.linalg.svd(a + SPREAD + 1j * b, False))),
        lambda a, b: (lambda u, s, v: (u / s) @ v)(*torch.linalg.svd(a + T_SPREAD + 1j * b, False)).abs(),
        (3, 3), (3, 3),
    ),
    "svdvals": (lambda a: np.linalg.svdvals(a + SPREAD), lambda a: torch.linalg.svdvals(a + T_SPREAD), (2, 3, 3)),
    "eigh": (
        lambda a: (lambda w, v: v**2 * w)(*np.linalg.eigh(a + a.T + SPREAD)),
        lambda a: (lambda w, v: v**2 * w)(*torch.linalg.eigh(a + a.T + T_SPREAD)), (3, 3),
    ),
    "eigh of complex": (
        lambda a, b: (lambda w, v: np.abs(v) ** 2 * w)(*np.linalg.eigh(a + a.T + 1j * (b - b.T) + SPREAD)),
        lambda a, b: (lambda w, v: v.abs() ** 2 * w)(*torch.linalg.eigh(a + a.T + 1j * (b - b.T) + T_SPREAD)),
        (3, 3), (3, 3),
    ),
    "eigvalsh": (
        lambda a: np.linalg.eigvalsh(a + a.T + SPREAD), lambda a: torch.linalg.eigvalsh(a + a.T + T_SPREAD), (3, 3)
    ),
    "eig": (
        lambda a: (lambda w, v: np.sum(np.abs(v) ** 2 * np.abs(w) ** 2, -1))(*np.linalg.eig(a + SPREAD)),
        lambda a: (lambda w, v: (v.abs() ** 2 * w.abs() ** 2).sum(-1))(*torch.linalg.eig(a + T_SPREAD)), (3, 3),
    ),
    "eigvals": (
        lambda a: np.sum(np.abs(np.linalg.eigvals(a + SPREAD)) ** 3),
        lambda a: (torch.linalg.eigvals(a + T_SPREAD).abs() ** 3).sum(), (3, 3),
    ),
    **{
        f"norm {order} along {axis}": (
            lambda a, p=order, k=axis: np.linalg.norm(a, p, k), lambda a, p=order, k=axis: torch.linalg.norm(a, p, k),
            (2, 3, 4),
        )
        for order, axis in [(None, 1), (1, 0), (3, -1), (0.5, 1), (-2, 0), (np.inf, 2), ("fro", (0, 2)),
                            ("nuc", (1, 2)), (1, (0, 1)), (-1, (1, 0)), (np.inf, (0, 2)), (2, (1, 2)), (-2, (0, 1))]
    },
    "cond": (lambda a: np.linalg.cond(a + SPREAD), lambda a: torch.linalg.cond(a + T_SPREAD), (2, 3, 3)),
}  # fmt: skip


try:
    import scipy.special as sp

    from autograd import polygamma
except ImportError:
    pass  # its functions are then not compared
else:
    t = torch.special
    PAIRS |= {
        "expit": (sp.expit, t.expit, (2, 3)),
        "log_expit": (sp.log_expit, torch.nn.functional.logsigmoid, (2, 3)),
        "logit": (lambda a: sp.logit(a / 3), lambda a: t.logit(a / 3), "+", (2, 3)),
        "erf": (sp.erf, t.erf, (2, 3)),
        "erfc": (sp.erfc, t.erfc, (2, 3)),
        "erfcx": (sp.erfcx, t.erfcx, (2, 3)),
        "erfinv": (lambda a: sp.erfinv(a / 3), lambda a: t.erfinv(a / 3), (2, 3)),
        "ndtr": (sp.ndtr, t.ndtr, (2, 3)),
        "ndtri": (lambda a: sp.ndtri(a / 3), lambda a: t.ndtri(a / 3), "+", (2, 3)),
        "log_ndtr": (sp.log_ndtr, t.log_ndtr, (2, 3)),
        # Not gammaln and digamma: PyTorch's trigamma is right to nine digits, and ours is held against mpmath's.
        "polygamma": (lambda a: polygamma(2, a), lambda a: t.polygamma(2, a), "+", (2, 3)),
        "xlogy": (sp.xlogy, t.xlogy, "+", (2, 3), (3,)),
        "xlog1py": (sp.xlog1py, t.xlog1py, "+", (2, 3), (3,)),
        "entr": (sp.entr, t.entr, "+", (2, 3)),
        "special.i0": (sp.i0, t.i0, (2, 3)),
        "special.i1": (sp.i1, t.i1, (2, 3)),
        "i0e": (sp.i0e, t.i0e, (2, 3)),
        "i1e": (sp.i1e, t.i1e, (2, 3)),
        "exp2 of SciPy": (sp.exp2, t.exp2, (2, 3)),
        "huber": (
            lambda a, b: sp.huber(0.5, a - b),
            lambda a, b: torch.nn.functional.huber_loss(a, b.expand(2, 3), delta=0.5, reduction="none"),
            (2, 3),
            (3,),
        ),
    }


@pytest.mark.parametrize("pair", PAIRS.values(), ids=PAIRS)
def test_same_as_torch(pair):
    ours, theirs, *shapes = pair
    rng = np.random.default_rng(5)
    positive = shapes[0] == "+"
    arrays = [rng.uniform(0.3 if positive else -2.0, 2.0, shape) for shape in shapes[positive:]]

    leaves = [Value(x) for x in arrays]
    tensors = [torch.tensor(x, requires_grad=True) for x in arrays]
    y, t = ours(*leaves), theirs(*tensors)
    np.testing.assert_allclose(y.data, t.detach().numpy(), rtol=1e-13, atol=1e-13)

    seed = rng.uniform(0.5, 1.5, y.shape)
    vectors = [rng.uniform(0.5, 1.5, x.shape) for x in arrays]
    upstream = Value(seed)
    first = reverse([y], [upstream], wrt=leaves, create_graph=True)
    torch_first = torch.autograd.grad(t, tensors, torch.tensor(seed), create_graph=True)
    for leaf, wanted in zip(leaves, torch_first, strict=True):
        got = getattr(first[leaf], "data", first[leaf])
        np.testing.assert_allclose(got, wanted.detach().numpy(), rtol=1e-12, atol=1e-13)

    number = sum(np.sum(v * first[leaf]) for v, leaf in zip(vectors, leaves, strict=True))
    torch_number = sum((torch.tensor(v) * g).sum() for v, g in zip(vectors, torch_first, strict=True))
    second = reverse([number], [1.0], wrt=leaves)
    if torch_number.requires_grad:
        torch_second = torch.autograd.grad(torch_number, tensors, allow_unused=True)
        for leaf, wanted in zip(leaves, torch_second, strict=True):
            wanted = np.zeros(leaf.shape) if wanted is None else wanted.numpy(force=True)
            np.testing.assert_allclose(second.get(leaf, np.zeros(leaf.shape)), wanted, rtol=1e-11, atol=1e-12)
