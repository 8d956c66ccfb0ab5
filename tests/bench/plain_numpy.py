"""The derivative by hand, in plain NumPy: what there is to reach."""

import numpy as np
from data import RATE, A, B, Work, batch, weights

VERSION = f"numpy {np.__version__}"


def chain(n):
    x, a, b = np.float64(0.5), np.float64(A), np.float64(B)
    state = []

    def step():
        y, seen = x, []
        for _ in range(n // 2):
            seen.append(y)
            y = y * a
            y = y + b
        g, ga, gb = np.float64(1.0), np.float64(0.0), np.float64(0.0)
        for before in reversed(seen):
            gb = gb + g
            ga = ga + g * before
            g = g * a
        state[:] = g, ga, gb
        return float(y)

    return Work(step, lambda: state)


def mlp(sizes, n):
    X, target = batch(sizes, n)
    rows = np.arange(n)
    parameters = weights(sizes)

    def step():
        inputs, h = [], X
        for i in range(0, len(parameters), 2):
            inputs.append(h)
            h = h @ parameters[i] + parameters[i + 1]
            if i + 2 < len(parameters):
                h = np.maximum(h, 0.0)
        if sizes[-1] == 1:
            error = h - target
            loss = (error * error).mean()
            g = error * (2 / n)
        else:
            shifted = h - h.max(axis=1, keepdims=True)
            g = np.exp(shifted)
            total = g.sum(axis=1, keepdims=True)
            loss = (np.log(total[:, 0]) - shifted[rows, target]).mean()
            g /= total
            g[rows, target] -= 1.0
            g /= n
        for i in range(len(parameters) - 2, -1, -2):
            h = inputs.pop()
            dW, db = h.T @ g, g.sum(axis=0)
            if i:
                g = (g @ parameters[i].T) * (h > 0)
            parameters[i] -= RATE * dW
            parameters[i + 1] -= RATE * db
        return float(loss)

    return Work(step, lambda: parameters)
