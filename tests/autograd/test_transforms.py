"""Transforms: derivatives of functions, to any order, of nested arguments."""

import copy
import math
import pickle
import tracemalloc
from typing import NamedTuple

import numpy as np
import pytest

from autograd import (
    Value,
    checkpoint,
    derivative,
    grad,
    hessian,
    hvp,
    jacobian,
    jvp,
    no_grad,
    value_and_grad,
    vjp,
)
from autograd.errors import AutogradError, DataError, GraphError, ShapeError

RNG = np.random.default_rng(0)
A, X = RNG.normal(size=(3, 3)), RNG.normal(size=3)


def quadratic(x):
    return x @ A @ x / 2


# ---------------------------------------------------------------- one argument, one number


@pytest.mark.parametrize("order", range(6))
def test_derivatives_of_any_order(order):
    f = np.sin
    for _ in range(order):
        f = derivative(f)
    assert f(0.3) == pytest.approx(math.sin(0.3 + order * math.pi / 2), rel=1e-14)


def test_a_derivative_at_each_entry_of_an_array():
    x = np.array([[0.1, 0.2], [0.3, 0.4]])
    np.testing.assert_allclose(derivative(np.tanh)(x), 1 - np.tanh(x) ** 2, rtol=1e-15)
    assert derivative(lambda x, y: x * y**2, argnums=1)(2.0, 3.0) == 12.0
    with pytest.raises(ShapeError, match=r"got \[\(\)\] from \[\(3,\)\]"):
        derivative(np.sum)(X)


def test_grad_of_a_quadratic_form_and_its_hessian():
    np.testing.assert_allclose(grad(quadratic)(X), (A + A.T) @ X / 2, rtol=1e-14)
    np.testing.assert_allclose(hessian(quadratic)(X), (A + A.T) / 2, rtol=1e-14)
    np.testing.assert_allclose(hvp(quadratic)(X, X + 1), (A + A.T) @ (X + 1) / 2, rtol=1e-14)
    np.testing.assert_allclose(jacobian(grad(quadratic))(X), hessian(quadratic)(X), rtol=1e-14)


def test_value_and_grad_with_aux_and_keywords():
    def f(x, *, power):
        return x**power, {"double": 2 * x, "text": "kept"}

    (value, aux), gradient = value_and_grad(f, has_aux=True)(3.0, power=2)
    assert (value, gradient) == (9.0, 6.0)
    assert aux == {"double": 6.0, "text": "kept"}
    assert type(aux["double"]) is np.float64
    assert grad(f, has_aux=True)(3.0, power=2) == (6.0, aux)
    with pytest.raises(DataError, match="has_aux"):
        grad(lambda x: x, has_aux=True)(1.0)


def test_arrays_in_arrays_out():
    result, gradient = value_and_grad(lambda x: np.sum(x * x))(X)
    assert type(result) is np.float64
    assert type(gradient) is np.ndarray
    gradient += 1.0
    _, pullback = vjp(lambda x: x, X)
    seed = np.ones(3)
    pulled = pullback(seed)[0]
    pulled += 1.0
    np.testing.assert_array_equal(seed, np.ones(3))


def test_float32_stays_float32():
    x = np.float32([1, 2, 3])
    for result in (grad(lambda x: np.sum(x**2))(x), jacobian(np.exp)(x), hessian(lambda x: np.sum(x**3))(x)):
        assert result.dtype == np.float32


def test_the_function_keeps_its_name():
    def named(x):
        """It has a docstring."""
        return x

    for transform in (grad, value_and_grad, derivative, jacobian, hessian, hvp, checkpoint):
        assert transform(named).__doc__ == "It has a docstring."


# ---------------------------------------------------------------- nesting


class Pair(NamedTuple):
    left: object
    right: object


def test_nested_arguments_give_gradients_nested_alike():
    parameters = {"layers": [Pair(np.ones((2, 2)), np.zeros(2)), (3.0,)], "scale": 2.0}

    def f(p):
        pair, (bias,) = p["layers"]
        return np.sum(pair.left * 2) * p["scale"] + bias**2 + np.sum(pair.right)

    gradient = grad(f)(parameters)
    assert type(gradient["layers"][0]) is Pair
    np.testing.assert_array_equal(gradient["layers"][0].left, np.full((2, 2), 4.0))
    assert gradient["layers"][1] == (6.0,)
    assert gradient["scale"] == 8.0


def test_several_arguments():
    f = lambda a, b, c: a * b**2 * c  # noqa: E731
    assert grad(f, argnums=(0, 2))(2.0, 3.0, 5.0) == (45.0, 18.0)
    assert grad(f, argnums=-1)(2.0, 3.0, 5.0) == 18.0
    assert hessian(f, argnums=(0, 1))(2.0, 3.0, 5.0) == ((0.0, 30.0), (30.0, 20.0))
    for wrong in (3, (0, 0), (0, -3), [0, 1], 1.0):
        with pytest.raises(DataError, match="argnums="):
            grad(f, argnums=wrong)(2.0, 3.0, 5.0)


def test_a_jacobian_has_a_block_for_each_pair():
    def f(p):
        return {"sum": p["a"] + p["b"], "product": p["a"] * np.sum(p["b"])}

    a, b = np.array([1.0, 2.0]), np.array([3.0, 4.0])
    blocks = jacobian(f)({"a": a, "b": b})
    np.testing.assert_array_equal(blocks["sum"]["a"], np.eye(2))
    np.testing.assert_array_equal(blocks["product"]["a"], 7 * np.eye(2))
    np.testing.assert_array_equal(blocks["product"]["b"], np.outer(a, [1.0, 1.0]))
    assert jacobian(lambda x: np.reshape(x, (2, 3, 1)))(np.zeros(6)).shape == (2, 3, 1, 6)
    assert jacobian(lambda x: x[:0])(np.zeros(4)).shape == (0, 4)


def test_vjp_and_jvp_are_the_jacobian_from_left_and_right():
    def f(x, y):
        return np.tanh(A @ x) * y, {"norm": np.sum(x * x) + y[0]}

    y = RNG.normal(size=3)
    full = jacobian(f, argnums=(0, 1))(X, y)
    u, v = (RNG.normal(size=3), {"norm": 0.7}), (RNG.normal(size=3), RNG.normal(size=3))
    result, pullback = vjp(f, X, y)
    for _ in range(2):
        pulled = pullback(u)
        for i in range(2):
            expected = u[0] @ full[0][i] + u[1]["norm"] * full[1]["norm"][i]
            np.testing.assert_allclose(pulled[i], expected, rtol=1e-13)
    pushed_result, pushed = jvp(f, (X, y), v)
    np.testing.assert_array_equal(pushed_result[0], result[0])
    np.testing.assert_allclose(pushed[0], full[0][0] @ v[0] + full[0][1] @ v[1], rtol=1e-13)
    np.testing.assert_allclose(pushed[1]["norm"], full[1]["norm"][0] @ v[0] + full[1]["norm"][1] @ v[1], rtol=1e-13)


def test_aux_of_vjp_and_jvp():
    f = lambda x: (x**2, 2 * x)  # noqa: E731
    y, pullback, aux = vjp(f, 3.0, has_aux=True)
    assert (y, pullback(1.0), aux) == (9.0, (6.0,), 6.0)
    assert jvp(f, [3.0], [1.0], has_aux=True) == (9.0, 6.0, 6.0)


# ---------------------------------------------------------------- transforms within transforms


def test_perturbations_are_not_confused():
    assert derivative(lambda x: x * derivative(lambda y: x + y)(1.0))(5.0) == 1.0
    assert derivative(lambda x: x * derivative(lambda y: x * y)(1.0))(3.0) == 6.0
    assert derivative(lambda x: derivative(lambda y: y**2 * x)(x))(3.0) == 12.0
    assert grad(lambda x: jvp(lambda y: x * y**2, [x], [1.0])[1])(3.0) == 12.0
    assert jvp(derivative(lambda x: x**3), [2.0], [1.0])[1] == 12.0
    assert derivative(lambda x: vjp(lambda y: x * y**2, x)[1](x)[0])(2.0) == pytest.approx(6 * 2**2)


def test_called_with_values_transforms_give_values():
    x, scale = Value(3.0), Value(2.0)
    slope = derivative(lambda y: scale * y**3)(x)
    assert slope.data == 54.0
    slope.backward()
    assert x.grad == 36.0
    assert scale.grad == 27.0
    x.zero_grad()
    value, gradient = value_and_grad(lambda y: y * y)(x)
    (value * gradient).backward()
    assert x.grad == 6 * 9.0
    assert isinstance(hessian(lambda y: y**3)(x), Value)
    tangent = jvp(lambda y: y**2, [2.0], [x])[1]
    x.zero_grad()
    tangent.backward()
    assert x.grad == 4.0


def test_the_gradient_depends_on_values_that_the_function_closes_over():
    w = Value([1.0, 2.0])
    inner = w * 3
    gradient = grad(lambda x: np.sum(x**2 * inner))(np.ones(2))
    assert w.grad is None
    assert inner.grad is None
    (gradient * [1.0, 10.0]).sum().backward()
    np.testing.assert_array_equal(w.grad, [6.0, 60.0])
    keyword = Value(2.0)
    for slope in (
        derivative(lambda x, k: x * x * k)(3.0, keyword),
        derivative(lambda x, k: x * x * k)(3.0, k=keyword),
        vjp(lambda x: x * x * keyword, 3.0)[1](1.0)[0],
        jvp(lambda x: x * x * keyword, [3.0], [1.0])[1],
        jacobian(lambda x: x * x * keyword)(3.0),
    ):
        keyword.zero_grad()
        slope.backward()
        assert keyword.grad == 6.0


def test_values_that_the_function_makes_itself_are_its_own():
    assert type(grad(lambda x: x * Value(2.0))(3.0)) is np.float64
    gradient, aux = grad(lambda x: (np.sum(Value(np.eye(2)) @ x), Value(1.0)), has_aux=True)(np.ones(2))
    assert type(gradient) is np.ndarray
    assert type(aux) is np.float64


def test_under_no_grad_what_a_function_closes_over_is_constant():
    w = Value([1.0, 2.0])
    with no_grad():
        gradient = grad(lambda x: np.sum(x**2 * w))(np.ones(2))
    assert type(gradient) is np.ndarray
    np.testing.assert_array_equal(gradient, [2.0, 4.0])


def test_no_grad_outside_does_not_reach_in():
    with no_grad():
        assert grad(lambda x: x**2)(3.0) == 6.0
        assert jvp(np.square, [3.0], [1.0])[1] == 6.0


def test_no_dependence_is_zero_everywhere():
    assert grad(lambda x: 5.0)(3.0) == 0.0
    assert grad(lambda x, y: y, argnums=(0, 1))(np.ones(2), 1.0)[0].tolist() == [0.0, 0.0]
    assert jvp(lambda x: Value(5.0, requires_grad=False), [3.0], [1.0]) == (5.0, 0.0)
    np.testing.assert_array_equal(hessian(lambda x: np.sum(x))(X), np.zeros((3, 3)))
    np.testing.assert_array_equal(hvp(lambda x: np.sum(x))(X, X), np.zeros(3))
    assert jacobian(lambda x: 5.0)(X).shape == (3,)


# ---------------------------------------------------------------- errors


def test_arguments_and_results_that_do_not_fit():
    with pytest.raises(ShapeError, match=r"single number, and this one returned shape \(3,\)"):
        grad(np.sin)(X)
    with pytest.raises(ShapeError, match="several arrays"):
        grad(lambda x: (x, x))(1.0)
    with pytest.raises(DataError, match="dtype int64"):
        grad(lambda x: x)(np.arange(3))
    with pytest.raises(DataError, match="returned None"):
        grad(lambda x: None)(1.0)
    with pytest.raises(ShapeError, match=r"shape \(2,\)"):
        vjp(np.sin, X)[1](np.ones(2))
    with pytest.raises(ShapeError, match="2 arrays were given"):
        vjp(np.sin, X)[1]([X, X])
    with pytest.raises(ShapeError, match="a tangent"):
        jvp(np.sin, [X], [1.0])
    with pytest.raises(ShapeError, match="vector"):
        hvp(quadratic)(X, np.ones(2))


def test_python_integers_are_numbers():
    assert derivative(np.square)(3) == 6.0


# ---------------------------------------------------------------- checkpoint


def test_checkpoint_changes_no_gradient_closed_over_parameters_included():
    w = Value(A, label="w")

    def layer(h):
        return np.tanh(h @ w) + h

    def run(layer):
        x = Value(X)
        w.zero_grad()
        h = w[0] + x
        np.sum(layer(layer(layer(h))) ** 2).backward()
        return x.grad, w.grad

    for plain, again in zip(run(layer), run(checkpoint(layer)), strict=True):
        np.testing.assert_allclose(again, plain, rtol=1e-13)


def test_checkpoint_of_nested_arguments_and_results():
    w = Value(A)
    f = lambda p, k: {"product": p["x"] * w * k, "sum": p["x"].sum()}  # noqa: E731

    def run(f):
        x = Value(A + 1)
        w.zero_grad()
        out = f({"x": x}, 2.0)
        (out["product"].sum() * out["sum"]).backward()
        return x.grad, w.grad

    for plain, again in zip(run(f), run(checkpoint(f)), strict=True):
        np.testing.assert_allclose(again, plain, rtol=1e-13)


def test_checkpoint_within_transforms_to_any_order():
    f = checkpoint(lambda x: x**4)
    assert derivative(f)(2.0) == 32.0
    assert derivative(derivative(f))(2.0) == 48.0
    assert derivative(derivative(derivative(f)))(2.0) == 48.0
    assert jvp(f, [2.0], [1.0])[1] == 32.0
    assert derivative(checkpoint(checkpoint(np.sin)))(0.0) == 1.0


def test_checkpoint_reaches_what_it_closes_over_wherever_that_stands():
    assert derivative(derivative(lambda x: checkpoint(lambda z: z * x)(x * 1.0)))(3.0) == 2.0
    assert derivative(derivative(lambda x: checkpoint(lambda z: z * x**3)(2.0)))(3.0) == 36.0
    assert derivative(lambda x: checkpoint(lambda z: z * x**3)(2.0))(Value(3.0)).data == 54.0
    a = np.array([0.3, 0.7])

    def f(block):
        return lambda x: np.sum(block(lambda z: np.sin(z) * x)(x * 2))

    np.testing.assert_allclose(hessian(f(checkpoint))(a), hessian(f(lambda g: g))(a), rtol=1e-13)
    w = Value(2.0)
    h = w * w
    (checkpoint(lambda z: z * h)(Value(3.0)) + h).backward()
    assert h.grad == 4.0
    assert w.grad == 16.0
    w.zero_grad()
    checkpoint(lambda z: h)(Value(1.0)).backward()
    assert w.grad == 4.0


def test_checkpoint_hands_on_what_has_no_gradient_and_keeps_dtypes():
    x = Value(np.float32([1.0, 3.0, 2.0]))
    single, double, place, nothing = checkpoint(lambda x: (x * 2, np.sum(x.astype(float)), np.argmax(x), None))(x)
    assert (single.dtype, double.dtype) == (np.float32, np.float64)
    assert (place, nothing) == (1, None)
    (single.sum() * double).backward()
    np.testing.assert_array_equal(x.grad, np.full(3, 24.0))


def test_checkpoint_refuses_a_function_that_is_not_the_same_twice():
    rng = np.random.default_rng(0)
    y = checkpoint(lambda x: x * rng.normal())(Value(1.0))
    with pytest.raises(GraphError, match="another result"):
        y.backward()


def test_a_checkpointed_graph_is_not_pickled_but_copied():
    x = Value(2.0)
    y = checkpoint(lambda x: x**2)(x)
    with pytest.raises(AutogradError, match="cannot be pickled"):
        pickle.dumps(y)
    twin = copy.deepcopy(y)
    twin.backward()
    assert twin.inputs[0].grad == 4.0
    assert x.grad is None


def test_checkpoint_of_constants_and_without_grad():
    f = checkpoint(lambda x: x * 2)
    assert f(3.0) == 6.0
    assert not f(Value(3.0, requires_grad=False)).requires_grad
    with no_grad():
        assert not f(Value(3.0)).requires_grad


def test_checkpoint_saves_memory():
    def block(h):
        for _ in range(20):
            h = np.tanh(h) * 1.01
        return h

    def peak(block):
        h = Value(np.ones(50_000))
        tracemalloc.start()
        for _ in range(10):
            h = block(h)
        np.sum(h).backward(retain_graph=False)
        used = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return used

    assert peak(checkpoint(block)) < peak(block) / 4


# ---------------------------------------------------------------- complex numbers


def test_derivatives_of_holomorphic_functions():
    z = 1.2 + 0.7j
    assert derivative(np.exp)(z) == np.exp(z)
    np.testing.assert_allclose(derivative(derivative(np.sin))(z), -np.sin(z))
    np.testing.assert_allclose(derivative(lambda x: np.exp(1j * x))(0.3), 1j * np.exp(0.3j))
    np.testing.assert_allclose(jacobian(lambda z: z**2)(np.array([1j, 2.0])), np.diag([2j, 4.0]))
    np.testing.assert_allclose(jacobian(lambda x: x * (1 + 2j))(np.ones(2)), (1 + 2j) * np.eye(2))


@pytest.mark.parametrize("transform", [derivative, jacobian])
def test_no_derivative_of_what_is_not_holomorphic(transform):
    with pytest.raises(DataError, match="not holomorphic"):
        transform(np.conj)(1.2 + 0.7j)
    with pytest.raises(DataError, match="not holomorphic"):
        transform(lambda z: z * np.abs(z))(1.2 + 0.7j)


def test_transforms_of_complex_functions():
    z, v = 1.2 + 0.7j, 0.5 - 2j
    with pytest.raises(DataError, match="returned a complex one"):
        grad(lambda z: z * z)(z)
    np.testing.assert_allclose(grad(lambda z: np.abs(z) ** 2)(z), 2 * z)
    np.testing.assert_allclose(jacobian(lambda z: np.abs(z) ** 2)(z), 2 * z)
    np.testing.assert_allclose(vjp(lambda z: z**3, z)[1](v)[0], v * np.conj(3 * z * z))
    np.testing.assert_allclose(jvp(lambda z: z**3, [z], [v])[1], v * 3 * z * z)
    np.testing.assert_allclose(jvp(np.conj, [z], [v])[1], np.conj(v))
    np.testing.assert_allclose(jvp(lambda x: np.exp(1j * x), [0.3], [2.0])[1], 2j * np.exp(0.3j))

    def energy(z):
        return np.abs(z) ** 4

    step = 1e-5 * v
    wanted = (grad(energy)(z + step) - grad(energy)(z - step)) / 2e-5
    np.testing.assert_allclose(hvp(energy)(z, v), wanted, rtol=1e-8)


def test_checkpoint_of_real_and_complex_results():
    z, x = Value(np.array([1 + 2j])), Value([2.0])
    a, b = checkpoint(lambda z, x: (z * x, x * 2))(z, x)
    assert b.dtype == np.float64
    (np.abs(a).sum() + b.sum()).backward()
    np.testing.assert_allclose(z.grad, 2 * z.data / abs(z.data))
    np.testing.assert_allclose(x.grad, abs(z.data) + 2)
