"""JAX, with the whole step compiled."""

import jax
from data import RATE, A, B, Work, batch, weights
from jax import numpy as jnp

VERSION = f"jax {jax.__version__}"
TRACED = False  # its arrays are C++'s

jax.config.update("jax_enable_x64", True)
jax.config.update("jax_platforms", "cpu")


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


def mlp(sizes, n):
    X, target = (jnp.asarray(array) for array in batch(sizes, n))
    parameters = [jnp.asarray(array) for array in weights(sizes)]

    def loss_of(parameters, X, target):
        h = X
        for i in range(0, len(parameters), 2):
            h = h @ parameters[i] + parameters[i + 1]
            if i + 2 < len(parameters):
                h = jax.nn.relu(h)
        if sizes[-1] == 1:
            return ((h - target) ** 2).mean()
        return -jax.nn.log_softmax(h)[jnp.arange(n), target].mean()

    @jax.jit
    def train(parameters, X, target):
        loss, gradients = jax.value_and_grad(loss_of)(parameters, X, target)
        return loss, [p - RATE * g for p, g in zip(parameters, gradients, strict=True)]

    def step():
        nonlocal parameters
        loss, parameters = train(parameters, X, target)
        return float(loss)

    return Work(step, lambda: parameters)
