"""SciPy's special functions: held against numbers of mpmath (with 60 digits), at the edges, and as guests of ours.

The walk over the table (test_table.py) covers their rules like those of all operations.
"""

import math
import pickle
import subprocess
import sys
import warnings

import numpy as np
import pytest

from autograd import Value, derivative, logsumexp
from autograd.errors import EscapeError, NoRuleError

sp = pytest.importorskip("scipy.special", reason="SciPy, whose functions these are, is not installed")

from autograd import polygamma  # noqa: E402  (it needs SciPy)

from ..numerical import check  # noqa: E402

INF, NAN = math.inf, math.nan

# function, x, first and second derivative
FUNCTIONS = {
    "trigamma": lambda x: polygamma(1, x),
    "kl_div in x": lambda x: sp.kl_div(x, 2.0),
    "kl_div in y": lambda x: sp.kl_div(2.0, x),
    "rel_entr in x": lambda x: sp.rel_entr(x, 2.0),
    "rel_entr in y": lambda x: sp.rel_entr(2.0, x),
    "pseudo_huber in r": lambda x: sp.pseudo_huber(2.0, x),
    "pseudo_huber in delta": lambda x: sp.pseudo_huber(x, 1.5),
    "boxcox in lambda": lambda x: sp.boxcox(3.0, x),
    "gammainc in x": lambda x: sp.gammainc(2.5, x),
    "betainc in x": lambda x: sp.betainc(2.5, 0.7, x),
}
NUMBERS = [
    ("expit", -700.0, 9.85967654375977e-305, 9.85967654375977e-305),
    ("expit", -40.0, 4.248354255291589e-18, 4.248354255291589e-18),
    ("expit", 0.3, 0.24445831169074586, -0.03639618395557624),
    ("expit", 40.0, 4.248354255291589e-18, -4.248354255291589e-18),
    ("log_expit", -700.0, 1.0, 0.0),
    ("log_expit", 0.3, 0.425557483188341, -0.24445831169074586),
    ("log_expit", 40.0, 4.248354255291589e-18, -4.248354255291589e-18),
    ("logit", 1e-20, 1e20, -1.0000000000000002e40),
    ("logit", 0.3, 4.761904761904762, -9.070294784580499),
    ("logit", 0.999, 1001.0010010010001, 999998.9979969942),
    ("erf", 0.0, 1.1283791670955126, 0.0),
    ("erf", 1.3, 0.20820798679606967, -0.5413407656697811),
    ("erf", -5.0, 1.5670866531017336e-11, 1.5670866531017336e-10),
    ("erf", 10.0, 4.197656231354417e-44, -8.395312462708834e-43),
    ("erfc", 1.3, -0.20820798679606967, 0.5413407656697811),
    ("erfc", 10.0, -4.197656231354417e-44, 8.395312462708834e-43),
    ("erfi", 1.3, 6.115229124146152, 15.899595722779997),
    ("erfi", 5.0, 81248828341.11569, 812488283411.157),
    ("erfcx", -3.0, -97237.06150316462, 615834.3467269868),
    ("erfcx", -0.5, -3.0807396562780696, 6.985460634643184),
    ("erfcx", 0.7, -0.39207669480629526, 0.5029533019700686),
    ("erfcx", 1.0, -0.27321201478389856, 0.3087431227438169),
    ("erfcx", 1.001, -0.2729035091918557, 0.3082682114646952),
    ("erfcx", 3.0, -0.05437226000717287, 0.03176874231974267),
    ("erfcx", 50.0, -0.00022554056313532387, 9.016217115157223e-06),
    ("erfcx", 10000.0, -5.641895750849127e-09, 1.1283791332441388e-12),
    ("erfinv", -0.9, 3.428042811451841, -27.335985073827032),
    ("erfinv", 0.3, 0.9545203588405493, 0.496486526010743),
    ("erfinv", 0.999, 198.93951776442475, 184171.54985278228),
    ("erfcinv", 0.01, -24.45087647374643, 2177.8147786336253),
    ("erfcinv", 1e-20, -7.489880193897079e18, 7.406749706808445e38),
    ("erfcinv", 1.5, -1.1125848189719498, -1.1807463499934),
    ("ndtr", -8.0, 5.052271083536892e-15, 4.0418168668295136e-14),
    ("ndtr", 1.3, 0.17136859204780736, -0.22277916966214956),
    ("ndtri", 1e-20, 1.0674725333014e19, -1.0554414389338887e39),
    ("ndtri", 0.3, 2.8761036592642926, -4.3378264936389535),
    ("ndtri", 0.9, 5.698059856117005, 41.60927029199779),
    ("log_ndtr", -1000.0, 1000.000999998, -0.999999000006),
    ("log_ndtr", -40.0, 40.02496884720726, -0.9993773316214086),
    ("log_ndtr", -5.0, 5.186503967125842, -0.9673035653828878),
    ("log_ndtr", -1.0, 1.525135276160981, -0.8009023344296512),
    ("log_ndtr", 0.5, 0.5091604338370335, -0.5138245643036329),
    ("log_ndtr", 3.0, 0.004437839042125664, -0.013333211541740806),
    ("log_ndtr", 20.0, 5.520948362159764e-88, -1.1041896724319527e-86),
    ("ndtri_exp", -50.0, 0.10229041222240622, 0.0010595377516594584),
    ("ndtri_exp", -0.3, 2.2876213198072275, 5.667595431758573),
    ("gammaln", 1e-05, -100000.57719921567, 10000000001.644909),
    ("gammaln", 0.3, -3.502524222200133, 12.245364546107732),
    ("gammaln", 7.5, 1.9467574842460869, 0.1426158966967038),
    ("gammaln", 1000000.0, 13.815510057964191, 1.0000005000001667e-06),
    ("gammaln", -2.3, 3.3173231575618227, 14.725912160961292),
    ("digamma", -8.2, 28.452034784674062, 247.03475192741254),
    ("digamma", -1.5, 9.379246644989124, -0.2362040516417274),
    ("digamma", 1e-05, 10000000001.644909, -2000000000000002.0),
    ("digamma", 0.7, 2.834049156694611, -6.4349928741909235),
    ("digamma", 3.0, 0.39493406684822646, -0.15411380631918858),
    ("digamma", 1000000.0, 1.0000005000001667e-06, -1.0000010000005e-12),
    ("trigamma", -8.2, 247.03475192741254, 3768.612869579144),
    ("trigamma", 0.7, -6.4349928741909235, 25.879149678427737),
    ("trigamma", 30.0, -0.0011487652037286, 7.78600366473613e-05),
    ("gamma", 0.3, -10.47804284175852, 73.33245167357495),
    ("gamma", 5.5, 84.32909066643127, 146.29615446405725),
    ("gamma", -2.3, -4.800522870444103, -37.23486206181961),
    ("gamma", 150.0, 1.907241168474365e261, 9.552673143564945e261),
    ("entr", 1e-300, 689.7755278982137, -9.999999999999999e299),
    ("entr", 0.3, 0.20397280432593604, -3.3333333333333335),
    ("kl_div in x", 2.000001, 4.999998750699306e-07, 0.499999750000125),
    ("kl_div in x", 0.3, -1.8971199848858813, 3.3333333333333335),
    ("kl_div in y", 0.3, -5.666666666666667, 22.222222222222225),
    ("kl_div in y", 1.9, -0.052631578947368474, 0.554016620498615),
    ("rel_entr in x", 1e-300, -690.4686750787737, 9.999999999999999e299),
    ("rel_entr in x", 0.3, -0.8971199848858813, 3.3333333333333335),
    ("i0", 0.5, 0.2578943053908963, 0.5476947599595309),
    ("i0", 30.0, 768532038938.957, 756054563192.679),
    ("i1", 0.5, 0.5476947599595309, 0.1940820070354198),
    ("i1", 30.0, 756054563192.679, 744184144653.5776),
    ("i0e", 0.5, -0.4886144672642784, 0.6643873281588133),
    ("i0e", 30.0, -0.0012296158835897392, 6.202074722455996e-05),
    ("i0e", 10000.0, -1.9947862106984187e-07, 2.992254131753587e-11),
    ("i1e", 0.5, 0.17577286089453498, -0.3902498372083965),
    ("i1e", 30.0, -0.0011675951363651794, 5.680612465277664e-05),
    ("i1e", 10000.0, -1.9944869852852436e-07, 2.991506049515319e-11),
    ("k1", 0.5, -4.237301311234267, 16.75680822248504),
    ("k1", 30.0, -2.2047352298594412e-14, 2.2436317673334104e-14),
    ("j0", 0.5, -0.2422684576748739, -0.4539328918910651),
    ("j0", 9.3, -0.2004139278437022, 0.1792050746577797),
    ("j1", 0.5, 0.4539328918910651, -0.18106041075750862),
    ("j1", 9.3, -0.1792050746577797, -0.17882737307250263),
    ("y0", 0.5, 1.471472392670243, -2.4984260518337797),
    ("y0", 9.3, -0.16906130706141514, -0.19039143247734305),
    ("y1", 0.01, 6364.854172568982, -1273207.7014812226),
    ("y1", 9.3, 0.19039143247734305, -0.18757881214845265),
    ("exprel", -30.0, 0.001111111111107888, 7.407407407073999e-05),
    ("exprel", 1e-09, 0.5000000003333334, 0.33333333358333334),
    ("exprel", 0.4, 0.6556573838452363, 0.4512748248769943),
    ("exprel", 20.0, 23045346.784465037, 21953725.09204301),
    ("pseudo_huber in r", 0.001, 0.0009999998750000235, 0.9999996250001172),
    ("pseudo_huber in r", 100000.0, 1.9999999996, 7.9999999952e-15),
    ("pseudo_huber in delta", 1000.0, 1.2656221523497567e-09, -3.796860761760797e-12),
    ("pseudo_huber in delta", 0.2, 1.1397073390603591, -1.6058173763224224),
    ("boxcox in lambda", 1e-09, 0.6034744808482806, 0.4419896537454839),
    ("boxcox in lambda", 0.7, 1.0237553267931407, 0.7952657737946939),
    ("rel_entr in y", 1e-09, -1999999999.9999998, 1.9999999999999997e18),
    ("rel_entr in y", 0.7, -2.857142857142857, 4.081632653061225),
    ("expi", 0.4, 3.729561744103176, -5.594342616154763),
    ("expi", 5.0, 29.682631820515322, 23.746105456412256),
    ("gammainc in x", 0.01, 0.0007447677378592913, 0.1109703929410344),
    ("gammainc in x", 3.0, 0.19460869331856584, -0.09730434665928292),
    ("gammainc in x", 40.0, 8.084897366214368e-16, -7.78171371498133e-16),
    ("betainc in x", 0.01, 0.0014089853154641925, 0.21177476256673922),
    ("betainc in x", 0.5, 0.6114501142342468, 2.2012204112432885),
    ("betainc in x", 0.99, 5.508708822205999, 173.60779318467377),
]


@pytest.mark.parametrize(("name", "x", "first", "second"), NUMBERS, ids=[f"{row[0]} at {row[1]}" for row in NUMBERS])
def test_derivatives_to_the_last_digits(name, x, first, second):
    function = FUNCTIONS.get(name) or getattr(sp, name)
    np.testing.assert_allclose(derivative(function)(x), first, rtol=5e-14)
    np.testing.assert_allclose(derivative(derivative(function))(x), second, rtol=2e-13, atol=1e-300)


@pytest.mark.parametrize("n", range(4))
def test_polygamma_against_mpmath(n):
    mpmath = pytest.importorskip("mpmath", reason="mpmath, to compare with, is not installed")
    for x in [-8.2, -1.3, 0.01, 0.7, 3.0, 40.0]:
        np.testing.assert_allclose(derivative(lambda x: polygamma(n, x))(x), float(mpmath.psi(n + 1, x)), 1e-13)
    for z in [0.4 + 0.3j, -3.3 + 2j, 25 - 4j]:
        np.testing.assert_allclose(polygamma(n, z), complex(mpmath.psi(n, z)), 1e-13)


# name: function, inputs, gradients of the sum
EDGES = {
    "expit": (
        sp.expit, [[-1000.0, 40.0, 1000.0, 0.0]], [[0, math.exp(-40) / (1 + math.exp(-40)) ** 2, 0, 0.25]]
    ),
    "log_expit": (sp.log_expit, [[-1000.0, 1000.0]], [[1, 0]]),
    "logit at the ends": (sp.logit, [[0.0, 1.0, 0.5]], [[INF, INF, 4]]),
    "softplus as logaddexp": (lambda x: np.logaddexp(0, x), [[1000.0, -1000.0, 0.0]], [[1, 0, 0.5]]),
    "erfinv at the ends": (sp.erfinv, [[-1.0, 1.0, 0.0]], [[INF, INF, math.sqrt(math.pi) / 2]]),
    "ndtri at the ends": (sp.ndtri, [[0.0, 1.0, 0.5]], [[INF, INF, math.sqrt(2 * math.pi)]]),
    "erfcx far out": (sp.erfcx, [[1e8, -30.0]], [[-1 / math.sqrt(math.pi) * 1e-16, -INF]]),
    "log_ndtr far out": (sp.log_ndtr, [[-1e10, 40.0]], [[1e10, 0]]),
    "x log(x) at 0": (lambda x: sp.xlogy(x, x), [[0.0, 1.0]], [[-INF, 1]]),
    "xlogy(0, 0)": (sp.xlogy, [[0.0], [0.0]], [[-INF], [0]]),
    "xlogy(0, 2)": (sp.xlogy, [[0.0], [2.0]], [[math.log(2)], [0]]),
    "xlog1py(0, -1)": (sp.xlog1py, [[0.0], [-1.0]], [[-INF], [0]]),
    "cross-entropy of a sure miss": (lambda p: -(sp.xlogy(0.0, p) + sp.xlog1py(1.0, -p)), [[0.0]], [[1]]),
    "entr": (sp.entr, [[0.0, 1.0, -1.0]], [[INF, -1, NAN]]),
    "rel_entr(0, 2)": (sp.rel_entr, [[0.0], [2.0]], [[-INF], [0]]),
    "rel_entr of tiny and huge": (sp.rel_entr, [[1e-300], [1e300]], [[1 - 600 * math.log(10)], [0]]),
    "kl_div(0, 2)": (sp.kl_div, [[0.0], [2.0]], [[-INF], [1]]),
    "kl_div of equals": (sp.kl_div, [[0.7], [0.7]], [[0], [0]]),
    "j1 at 0": (sp.j1, [[0.0]], [[0.5]]),
    "i1 at 0": (sp.i1, [[0.0]], [[0.5]]),
    "i0e at its kink": (sp.i0e, [[0.0]], [[0]]),
    "i0e far out": (sp.i0e, [[1e8]], [[-0.5e-12 / math.sqrt(2 * math.pi) * (1 + 0.375e-8)]]),
    "exprel at 0": (sp.exprel, [[0.0]], [[0.5]]),
    "gammainc at 0": (lambda x: sp.gammainc([0.5, 1.0, 2.0], x), [[0.0, 0.0, 0.0]], [[INF, 1, 0]]),
    "huber on its bounds": (lambda r: sp.huber(1.0, r), [[-2.0, -1.0, 0.5, 1.0, 2.0]], [[-1, -1, 0.5, 1, 1]]),
    "pseudo_huber of width 0": (sp.pseudo_huber, [[0.0, 0.0], [-3.0, 0.0]], [[3, 0], [0, 0]]),
    "sine integral at 0": (lambda x: sp.sici(x)[0], [[0.0]], [[1]]),
}  # fmt: skip


@pytest.mark.parametrize(("function", "inputs", "wanted"), EDGES.values(), ids=EDGES)
@pytest.mark.parametrize("create_graph", [False, True], ids=["", "as a graph"])
def test_edge(function, inputs, wanted, create_graph):
    values = [Value(np.array(x, dtype=float)) for x in inputs]
    with warnings.catch_warnings(action="ignore"):  # the forward pass warns as SciPy does
        y = function(*values)
    y.backward(np.ones(y.shape), create_graph=create_graph)
    for value, gradient in zip(values, wanted, strict=True):
        got = getattr(value.grad, "data", value.grad) if create_graph else value.grad
        np.testing.assert_allclose(got, gradient, rtol=1e-14, atol=1e-300)


@pytest.mark.parametrize(
    ("function", "x", "wanted"),
    [
        (sp.expit, 1000.0, 0),
        (sp.log_expit, 0.0, -0.25),
        (sp.log_ndtr, 40.0, 0),
        (sp.log_ndtr, -1e10, -1),
        (sp.erfcx, 1e8, 2e-24 / math.sqrt(math.pi)),
        (lambda x: sp.pseudo_huber(2.0, x), 1e9, 8e-27),
        (lambda x: sp.xlogy(1.0, x), 2.0, -0.25),
        (sp.exprel, 0.0, 1 / 3),
        (sp.j1, 0.0, 0),
    ],
)
def test_second_derivative_at_an_edge(function, x, wanted):
    np.testing.assert_allclose(derivative(derivative(function))(x), wanted, rtol=1e-12, atol=1e-300)


def test_mixed_derivative_of_xlogy_where_x_is_0():
    # d²/dxdy x log(y) = 1/y also for x = 0, where the derivative in y is 0.
    slope_in_y = lambda x: derivative(lambda y: sp.xlogy(x, y))(2.0)  # noqa: E731
    assert slope_in_y(0.0) == 0
    assert derivative(slope_in_y)(0.0) == 0.5


@pytest.mark.parametrize(
    "call",
    [
        (lambda a: sp.sici(a + 2.0), [0.3, 1.2]),
        (sp.fresnel, [[0.3], [1.2]]),
        (lambda a: sp.softplus(a) if hasattr(sp, "softplus") else np.logaddexp(0, a), [-1.0, 2.0]),
        (lambda a: sp.zeta(2.5, a), [0.7, 3.0]),
        (lambda a: sp.jv(0.5, a) + sp.yv(1.7, a), [0.7, 3.0]),
        (lambda a: sp.iv(0.3, a) + sp.kv(0.6, a), [0.7, 3.0]),
        (lambda a: sp.hyp2f1(0.5, 1.5, 2.5, a), [0.3, -0.6]),
        (lambda a: sp.psi(a) + sp.digamma(a), [0.7, 3.0]),
        (lambda a: sp.xlogy(a, [2.0, 3.0]) + sp.beta(1.5, a), [0.7, 3.0]),
        (lambda a: polygamma([1, 2], a), [0.7, 3.0]),
    ],
)
def test_as_scipy_calls_them(call):
    function, x = call
    check(function, np.array(x))


@pytest.mark.parametrize(
    "call",
    [
        lambda v: sp.gammainc(v, 2.0),
        lambda v: sp.gammaincc(v, 2.0),
        lambda v: sp.betainc(v, 1.0, 0.5),
        lambda v: sp.betainc(1.0, v, 0.5),
        lambda v: sp.jv(v, 2.0),
        lambda v: sp.yv(v, 2.0),
        lambda v: sp.iv(v, 2.0),
        lambda v: sp.kv(v, 2.0),
        lambda v: np.real(sp.hankel1(v, 2.0)),
        lambda v: np.real(sp.hankel2(v, 2.0)),
        lambda v: sp.zeta(v + 1, 2.0),
        lambda v: sp.hyp0f1(v, 0.2),
        lambda v: sp.hyp1f1(v, 1.5, 0.2),
        lambda v: sp.hyp1f1(1.5, v, 0.2),
        lambda v: sp.hyp2f1(v, 1.5, 2.5, 0.2),
        lambda v: sp.hyp2f1(1.5, v, 2.5, 0.2),
        lambda v: sp.hyp2f1(1.5, 2.5, v, 0.2),
    ],
)
def test_parameters_without_a_derivative_say_so(call):
    y = call(Value(1.5))
    with pytest.raises(NoRuleError, match="no derivative rule for its"):
        y.backward()
    assert call(Value(1.5, requires_grad=False)).data == call(1.5)


def test_functions_without_a_rule_and_keywords_are_refused():
    with pytest.raises(NoRuleError):
        sp.ellipk(Value(0.5))
    with pytest.raises(NoRuleError):
        sp.erf(Value([0.5, 1.0]), where=[True, False])
    with pytest.raises(EscapeError):
        sp.erf(Value(0.5), out=np.zeros(()))
    with pytest.raises(ValueError, match="order"):
        polygamma(-1, Value(0.5))
    with pytest.raises(ValueError, match="order"):
        polygamma(0.5, Value(0.5))
    with pytest.raises(TypeError):
        np.i0(Value(1j))


@pytest.mark.parametrize("name", ["softmax", "log_softmax", "logsumexp", "polygamma"])
def test_what_cannot_reach_us_names_what_to_write(name):
    arguments = (1, Value([1.0, 2.0])) if name == "polygamma" else (Value([1.0, 2.0]),)
    with pytest.raises(EscapeError, match=rf"scipy\.special\.{name} .*autograd\.{name}"):
        getattr(sp, name)(*arguments)


def test_ours_of_the_same_name_give_the_same_numbers():
    x = np.array([[0.3, 1.2, -0.4], [2.0, 0.1, 0.2]])
    np.testing.assert_allclose(logsumexp(x, axis=1), sp.logsumexp(x, axis=1), rtol=1e-15)
    np.testing.assert_array_equal(polygamma([[1], [2]], x[1]), sp.polygamma([[1], [2]], x[1]))
    assert polygamma(1, np.float32(2.0)).dtype == np.float32
    assert polygamma(0, 2) == sp.digamma(2)


def run(code, *arguments):
    return subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, timeout=60)


def test_loaded_when_first_met():
    code = """
import sys
import numpy as np
from autograd import Value
np.sin(Value(1.0)).backward()
assert "scipy" not in sys.modules
import scipy.special
np.sin(Value(1.0)).backward()
assert "autograd.rules.special" not in sys.modules
scipy.special.erf(Value(1.0)).backward()
assert "autograd.rules.special" in sys.modules
"""
    done = run(code)
    assert done.returncode == 0, done.stderr


def test_without_scipy_nothing_else_changes():
    code = """
import sys
sys.modules["scipy"] = None
import autograd, numpy as np
assert autograd.derivative(np.sin)(0.0) == 1
try:
    np.frompyfunc(abs, 1, 1)(autograd.Value(1.0))
except autograd.errors.NoRuleError:
    pass
try:
    autograd.polygamma
except ImportError as error:
    print(error)
"""
    done = run(code)
    assert done.returncode == 0, done.stderr
    assert "scipy" in done.stdout


def test_a_pickled_graph_finds_its_operations_in_a_new_process(tmp_path):
    y = sp.gammaln(Value(3.0)) * polygamma(1, Value(2.0))
    (tmp_path / "graph").write_bytes(pickle.dumps(y))
    code = """
import pickle, sys
y = pickle.loads(open(sys.argv[1], "rb").read())
y.backward()
print(y.op.name, sorted(v.op.name for v in y.inputs))
"""
    done = run(code, str(tmp_path / "graph"))
    assert done.stdout == "multiply ['special.gammaln', 'special.polygamma']\n", done.stderr
