"""Naming: results are called as the function, and what it calls, calls them; and the page runs under these names."""

import builtins
import re
import types

import numpy as np

import autograd
from autograd import Value, compile, gradient_source

from .test_compiling import X, assert_same


def alone(text, *args):
    """What the one function of a page gives, with numpy alone."""
    module = types.ModuleType("printed")
    exec(builtins.compile(text, "printed", "exec"), vars(module))
    (name,) = re.findall(r"^def (\w+)\(", text, re.M)[-1:]
    return getattr(module, name)(*args)


def test_each_gradient_is_called_after_the_argument_that_it_is_of():
    def neuron(w, x, b):
        act = b
        for wi, xi in zip(w, x, strict=True):
            act = act + wi * xi
        return np.tanh(act)

    args = [0.5, -0.3], [1.0, 2.0], 0.2
    text = gradient_source(neuron, *args, argnums=(0, 1, 2))
    assert text.rstrip().endswith("([grad_w_0, grad_w_1], [grad_x_0, grad_x_1], grad_b))")
    assert_same(alone(text, 0.5, -0.3, 1.0, 2.0, 0.2), autograd.value_and_grad(neuron, (0, 1, 2))(*args))

    def loss(params, x):
        return np.sum(np.tanh(x @ params["W"]) @ params["out"][0])

    text = gradient_source(loss, {"W": np.ones((2, 3)), "out": [np.ones(3)]}, np.ones((4, 2)))
    assert "{'W': grad_params_W, 'out': [grad_params_out_0]}" in text


def test_a_gradient_that_is_an_argument_leaves_its_name_alone():
    text = gradient_source(lambda x, y: x * y, np.float64(2.0), np.float64(3.0), argnums=(0, 1))
    assert "return (value, (y, x))" in text
    same = gradient_source(lambda x, y: np.sum(np.tanh(x + y)), np.ones(2), np.ones(2), argnums=(0, 1))
    assert "(grad_x, grad_x)" in same


def test_a_function_of_values_names_its_value_and_gradient_too():
    W = Value(np.ones((3, 2)), label="W")
    text = gradient_source(lambda x: (x @ W).sum() * 3.0, np.ones((4, 3)))
    assert "return (value, grad_x)" in text
    assert "# update" not in text  # where there is none


def test_arguments_keep_their_names_and_what_replaces_them_gets_a_number():
    def mlp(x, w):
        for _ in range(2):
            x = np.tanh(x @ w)
        return x.sum()

    text = gradient_source(mlp, np.ones((3, 2)), np.ones((2, 2)), argnums=1)
    assert "    x,  # (3, 2)" in text and "x1 = np.tanh(" in text and "x2 = np.tanh(" in text


def test_helpers_and_loops_name_their_results_too():
    def dense(x, w):
        z = x @ w
        return np.tanh(z)

    def net(x, w):
        h = dense(x, w)
        h = dense(h, w)
        total = 0.0
        for k in range(2):
            total += h[k].sum()
        return total

    text = gradient_source(net, np.ones((3, 2)), np.ones((2, 2)), argnums=1)
    for line in ("z1 = x @ w", "h1 = np.tanh(z1)", "z2 = h1 @ w", "h2 = np.tanh(z2)", "total1 = ", "total2 = "):
        assert line in text

    def spread(x, w):
        mean = np.mean(
            x * w,
            axis=0,
        )
        return mean.sum()

    assert "mean = product.mean(axis=0)" in gradient_source(spread, np.ones((3, 2)), np.ones((3, 2)))


def test_the_program_of_a_graph_has_the_labels_of_the_graph():
    a, w = Value(np.array([1.0, 2.0]), label="a"), Value(np.ones((2, 3)), label="w")
    t = Value(np.ones(3), requires_grad=False)
    error = np.tanh(a @ w) - t
    error.label = "error"
    loss = (error * error).sum()
    loss.label = "loss"
    step = compile(loss, inputs=(a, t), wrt=(a, w))
    step(a.data, t.data)
    assert re.search(r"def graph\(\n    a,  +# \(2,\)\n    x,  +# \(3,\)\n    w,  +# \(2, 3\)\n\)", step.source)
    assert "return (loss, (grad_a, grad_w))" in step.source and "error = tanh - x" in step.source
    assert_same(alone(step.source, a.data, t.data, w.data), step(a.data, t.data))


def test_numbers_in_a_graph_are_constants_of_its_program():
    x, w = Value(np.array([1.0, 2.0]), label="x"), Value(np.array([0.5, 0.1]), label="w")
    step = compile(((np.tanh(x * w) - 1) ** 2).sum() * 0.5, inputs=[x], wrt=[w])
    wanted = step(x.data)
    assert re.search(r"def graph\(\n    x,  # \(2,\)\n    w,  # \(2,\)\n\):", step.source)
    assert "tanh - 1" in step.source and "np.square(" in step.source
    assert_same(alone(step.source, x.data, w.data), wanted)


def test_a_reshape_to_one_axis_prints_as_what_runs():
    text = gradient_source(lambda x: np.mean(x.T.reshape(-1) * np.arange(6.0)), X)
    assert_same(alone(text, X)[1], autograd.grad(lambda x: np.mean(x.T.reshape(-1) * np.arange(6.0)))(X))
    again = compile(lambda x: np.reshape(np.transpose(x), -1, "C"))
    for _ in range(4):
        assert_same(again(X), X.T.reshape(-1))
