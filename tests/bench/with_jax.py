"""JAX, with the whole step compiled, the memory of the old parameters given to the new ones, and no queue."""

import jax
from data import RATE, SEQUENCE, A, B, Work, batch, sequences, weights
from data import lenet as lenet_data
from jax import lax
from jax import numpy as jnp

VERSION = f"jax {jax.__version__}"
TRACED = False  # its arrays are C++'s

jax.config.update("jax_enable_x64", True)
jax.config.update("jax_platforms", "cpu")
jax.config.update("jax_cpu_enable_async_dispatch", False)  # each step reads its loss: nothing to wait for meanwhile


def chain(n):
    if n > 1000:
        raise NotImplementedError  # a program of that many lines compiles for minutes

    def run(x, a, b):
        y = x
        for _ in range(n // 2):
            y = y * a
            y = y + b
        return y

    compiled, state = jax.jit(jax.value_and_grad(run, (0, 1, 2))), []

    def step():
        y, state[:] = compiled(0.5, A, B)
        return float(y)

    return Work(step, lambda: [float(g) for g in state])


def trained(arrays, loss_of, *data):
    """Steps downhill; `loss_of` takes the parameters and the data."""
    parameters, data = [jnp.asarray(array) for array in arrays], [jnp.asarray(array) for array in data]

    def train(parameters, *data):
        loss, gradients = jax.value_and_grad(loss_of)(parameters, *data)
        return loss, [p - RATE * g for p, g in zip(parameters, gradients, strict=True)]

    train = jax.jit(train, donate_argnums=0)

    def step():
        nonlocal parameters
        loss, parameters = train(parameters, *data)
        return float(loss)

    return Work(step, lambda: parameters)


def dense(h, parameters):
    for i in range(0, len(parameters), 2):
        h = h @ parameters[i] + parameters[i + 1]
        if i + 2 < len(parameters):
            h = jax.nn.relu(h)
    return h


def cross_entropy(logits, target):
    return -jax.nn.log_softmax(logits)[jnp.arange(len(target)), target].mean()


def mlp(sizes, n):
    def loss_of(parameters, X, target):
        y = dense(X, parameters)
        return ((y - target) ** 2).mean() if sizes[-1] == 1 else cross_entropy(y, target)

    return trained(weights(sizes), loss_of, *batch(sizes, n))


def lenet():
    """With the channels last and the largest taken over axes, which runs quicker than XLA's window."""

    def loss_of(parameters, images, target):
        h = images.transpose(0, 2, 3, 1)
        for kernel, bias in (parameters[:2], parameters[2:4]):
            layout = ("NHWC", "HWIO", "NHWC")
            h = lax.conv_general_dilated(h, kernel.transpose(2, 3, 1, 0), (1, 1), "VALID", dimension_numbers=layout)
            h = jax.nn.relu(h + bias)
            n, height, width, channels = h.shape
            h = h.reshape(n, height // 2, 2, width // 2, 2, channels).max((2, 4))
        return cross_entropy(dense(h.transpose(0, 3, 1, 2).reshape(n, -1), parameters[4:]), target)

    arrays, images, target = lenet_data()
    return trained(arrays, loss_of, images, target)


def lstm(dtype="float64", form="layer"):
    """With `scan`, which compiles sooner and runs quicker here than a loop that is written out."""
    if form != "layer":
        raise NotImplementedError
    arrays, X = sequences(dtype)
    n, _, _, units = SEQUENCE

    def loss_of(parameters, X):
        W, U, b = parameters

        def cell(state, x):
            h, c = state
            i, f, candidate, o = jnp.split(x @ W + h @ U + b, 4, axis=1)
            c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(candidate)
            h = jax.nn.sigmoid(o) * jnp.tanh(c)
            return (h, c), h

        zeros = jnp.zeros((n, units), X.dtype)
        return (lax.scan(cell, (zeros, zeros), X.swapaxes(0, 1))[1] ** 2).mean()

    return trained(arrays, loss_of, X)
