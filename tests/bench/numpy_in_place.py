"""The derivative by hand in plain NumPy, with all memory made once and written to with `out=`.

As one writes it for speed without a framework: views made beforehand, no graph, next to nothing allocated in a step.
"""

import numpy as np
from data import ALPHA, RATE, SEQUENCE, TINY, Work, batch, learning_rate, sequences, two_moons, weights
from data import lenet as lenet_data
from numpy.lib.stride_tricks import sliding_window_view

VERSION = "numpy with out="


class Dense:
    """Dense layers with relu between them; `y` is what comes out, and `g` where its upstream gradient is put.

    With `back_to_relu`, backward goes on to the inputs, and through the relu that they come from.
    """

    def __init__(self, X, parameters, back_to_relu=False):
        self.gradients = [np.empty_like(p) for p in parameters]
        values = [X, *(np.empty((len(X), b.size), X.dtype) for b in parameters[1::2])]
        upstream = [np.empty_like(h) for h in values]
        self.y, self.g, self.g_inputs = values[-1], upstream[-1], upstream[0]
        W, b, dW, db = parameters[::2], parameters[1::2], self.gradients[::2], self.gradients[1::2]
        self.hidden = list(zip(values, W[:-1], b[:-1], values[1:], strict=False))
        self.last = values[-2], W[-1], b[-1]
        self.back = [
            (
                values[i].T,
                W[i].T,
                dW[i],
                db[i],
                upstream[i + 1],
                upstream[i],
                values[i],
                np.empty(values[i].shape, bool),
            )
            for i in reversed(range(len(W)))
        ]
        self.end = None if back_to_relu else X

    def forward(self):
        for h, W, b, y in self.hidden:
            np.dot(h, W, out=y)
            y += b
            np.maximum(y, 0.0, out=y)
        h, W, b = self.last
        np.dot(h, W, out=self.y)
        self.y += b

    def backward(self):
        for hT, WT, dW, db, g, g_before, h, positive in self.back:
            np.dot(hT, g, out=dW)
            np.add.reduce(g, axis=0, out=db)
            if h is self.end:
                return
            np.dot(g, WT, out=g_before)
            np.greater(h, 0.0, out=positive)
            g_before *= positive


def mean_squared_error(y, target):
    error, n = np.empty_like(y), len(y)

    def loss(g):
        np.subtract(y, target, out=g)
        np.multiply(g, g, out=error)
        g *= 2 / n
        return float(np.add.reduce(error, axis=None)) / n

    return loss


def cross_entropy(y, target):
    column, n = np.empty((len(y), 1), y.dtype), len(y)
    rows = np.arange(n)

    def loss(g):
        np.maximum.reduce(y, axis=1, keepdims=True, out=column)
        np.subtract(y, column, out=y)
        np.exp(y, out=g)
        np.add.reduce(g, axis=1, keepdims=True, out=column)
        np.divide(g, column, out=g)
        np.log(column, out=column)
        g[rows, target] -= 1.0
        np.divide(g, n, out=g)
        return float(np.add.reduce(column[:, 0] - y[rows, target])) / n

    return loss


def descend(parameters, gradients, rate):
    for p, g in zip(parameters, gradients, strict=True):
        g *= rate
        p -= g


def mlp(sizes, n):
    X, target = batch(sizes, n)
    parameters = weights(sizes)
    net = Dense(X, parameters)
    loss_of = (mean_squared_error if sizes[-1] == 1 else cross_entropy)(net.y, target)

    def step():
        net.forward()
        loss = loss_of(net.g)
        net.backward()
        descend(parameters, net.gradients, RATE)
        return loss

    return Work(step, lambda: parameters)


def moons(points=100):
    """With arrays in the place of single numbers, which is what waves are to come near to."""
    X, y = (np.array(part, float) for part in two_moons(points))
    y = y[:, None]
    parameters, n = weights(TINY), len(X)
    net, k = Dense(X, parameters), iter(range(10**9))
    margin, short, downhill = np.empty((n, 1)), np.empty((n, 1), bool), y / -n

    def step():
        net.forward()
        np.multiply(net.y, y, out=margin)
        np.subtract(1.0, margin, out=margin)
        np.greater(margin, 0.0, out=short)
        np.multiply(margin, short, out=margin)
        np.multiply(downhill, short, out=net.g)
        penalty = ALPHA * sum(float(np.vdot(p, p)) for p in parameters)
        loss = float(np.add.reduce(margin, axis=None)) / n + penalty
        net.backward()
        rate = learning_rate(next(k))
        for p in parameters:
            p *= 1.0 - 2.0 * ALPHA * rate  # the penalty's share
        descend(parameters, net.gradients, rate)
        return loss

    def by_neuron():
        columns = [
            np.concatenate([W, b[None]]).T.ravel() for W, b in zip(parameters[::2], parameters[1::2], strict=True)
        ]
        return [np.concatenate(columns)]

    return Work(step, by_neuron)


def sigmoid(a):
    np.negative(a, out=a)
    np.exp(a, out=a)
    a += 1.0
    np.reciprocal(a, out=a)


def lstm(dtype="float64", form="layer"):
    if form != "layer":
        raise NotImplementedError
    parameters, X = sequences(dtype)
    W, U, b = parameters
    n, time, inputs, units = SEQUENCE
    X = X.swapaxes(0, 1).reshape(time * n, inputs)  # so that a time step lies in one piece
    gradients = [np.empty_like(p) for p in parameters]
    gates, g_gates = (np.empty((time, n, 4 * units), dtype) for _ in range(2))
    all_gates, all_g_gates = gates.reshape(time * n, -1), g_gates.reshape(time * n, -1)
    h, c = (np.zeros((time + 1, n, units), dtype) for _ in range(2))
    tanh_c, squares = (np.empty((time, n, units), dtype) for _ in range(2))
    from_state = np.empty((n, 4 * units), dtype)
    g_h, g_c, product, slope = (np.empty((n, units), dtype) for _ in range(4))
    parts = [[a[:, k * units : (k + 1) * units] for k in range(4)] for a in gates]
    g_parts = [[a[:, k * units : (k + 1) * units] for k in range(4)] for a in g_gates]

    def step():
        np.dot(X, W, out=all_gates)
        np.add(all_gates, b, out=all_gates)
        for t in range(time):
            np.dot(h[t], U, out=from_state)
            gates[t] += from_state
            i, f, candidate, o = parts[t]
            sigmoid(gates[t][:, : 2 * units])
            np.tanh(candidate, out=candidate)
            sigmoid(o)
            np.multiply(f, c[t], out=c[t + 1])
            np.multiply(i, candidate, out=product)
            c[t + 1] += product
            np.tanh(c[t + 1], out=tanh_c[t])
            np.multiply(o, tanh_c[t], out=h[t + 1])
        np.multiply(h[1:], h[1:], out=squares)
        loss = float(np.add.reduce(squares, axis=None)) / squares.size
        g_h[:] = 0.0
        g_c[:] = 0.0
        for t in reversed(range(time)):
            i, f, candidate, o = parts[t]
            g_i, g_f, g_candidate, g_o = g_parts[t]
            np.multiply(h[t + 1], 2 / squares.size, out=product)
            np.add(g_h, product, out=g_h)
            np.multiply(g_h, tanh_c[t], out=g_o)
            np.multiply(g_h, o, out=product)
            np.multiply(tanh_c[t], tanh_c[t], out=slope)
            np.subtract(1.0, slope, out=slope)
            np.multiply(product, slope, out=product)
            np.add(g_c, product, out=g_c)
            np.multiply(g_c, candidate, out=g_i)
            np.multiply(g_c, c[t], out=g_f)
            np.multiply(g_c, i, out=g_candidate)
            np.multiply(g_c, f, out=g_c)
            for gate, g_gate in ((i, g_i), (f, g_f), (o, g_o)):
                np.subtract(1.0, gate, out=slope)
                np.multiply(slope, gate, out=slope)
                np.multiply(g_gate, slope, out=g_gate)
            np.multiply(candidate, candidate, out=slope)
            np.subtract(1.0, slope, out=slope)
            np.multiply(g_candidate, slope, out=g_candidate)
            np.dot(g_gates[t], U.T, out=g_h)
        np.dot(X.T, all_g_gates, out=gradients[0])
        np.dot(h[:-1].reshape(time * n, units).T, all_g_gates, out=gradients[1])
        np.add.reduce(all_g_gates, axis=0, out=gradients[2])
        descend(parameters, gradients, RATE)
        return loss

    return Work(step, lambda: parameters)


class Convolution:
    """A convolution of stride 1 without padding, the largest of each 2x2, and relu; gradients as in `Dense`.

    Forward copies the windows into columns and multiplies; backward adds the columns' gradients up again.
    """

    def __init__(self, images, kernel, bias, inputs=True):
        n, channels, height, width = images.shape
        outputs, _, size, _ = kernel.shape
        self.shape, self.inputs, self.bias = (height - size + 1, width - size + 1), inputs, bias
        area, dtype = self.shape[0] * self.shape[1], images.dtype
        windows = sliding_window_view(images, (size, size), axis=(2, 3)).transpose(0, 1, 4, 5, 2, 3)
        self.windows, self.kernel = windows, kernel.reshape(outputs, -1)
        self.columns, self.g_columns = (np.empty((n, channels * size * size, area), dtype) for _ in range(2))
        self.y, self.g_y = (np.empty((n, outputs, area), dtype) for _ in range(2))
        self.pooled, self.g = (np.empty((n, outputs, self.shape[0] // 2, self.shape[1] // 2), dtype) for _ in range(2))
        self.largest, self.g_images = np.empty(self.pooled.shape, bool), np.empty_like(images)
        self.gradients = [np.empty_like(kernel), np.empty_like(bias)]
        self.g_kernels = np.empty((n, *self.kernel.shape), dtype)

    def corners(self, array):
        images = array.reshape(*array.shape[:2], *self.shape)
        return [images[:, :, i::2, j::2] for i in range(2) for j in range(2)]

    def forward(self):
        np.copyto(self.columns.reshape(self.windows.shape), self.windows)
        np.matmul(self.kernel, self.columns, out=self.y)
        self.y += self.bias[:, None]
        a, b, c, d = self.corners(self.y)
        np.maximum(a, b, out=self.pooled)
        np.maximum(self.pooled, c, out=self.pooled)
        np.maximum(self.pooled, d, out=self.pooled)
        np.maximum(self.pooled, 0.0, out=self.pooled)  # the largest of relus is the relu of the largest

    def backward(self):
        """From `g`, that of the largest ones before the relu."""
        for corner, g_corner in zip(self.corners(self.y), self.corners(self.g_y), strict=True):
            np.equal(corner, self.pooled, out=self.largest)
            np.multiply(self.g, self.largest, out=g_corner)
        np.matmul(self.g_y, self.columns.swapaxes(1, 2), out=self.g_kernels)
        np.add.reduce(self.g_kernels, axis=0, out=self.gradients[0].reshape(self.kernel.shape))
        np.add.reduce(self.g_y, axis=(0, 2), out=self.gradients[1])
        if self.inputs:
            np.matmul(self.kernel.T, self.g_y, out=self.g_columns)
            self.g_images[:] = 0.0
            parts, (height, width) = self.g_columns.reshape(self.windows.shape), self.shape
            for i in range(parts.shape[2]):
                for j in range(parts.shape[3]):
                    self.g_images[:, :, i : i + height, j : j + width] += parts[:, :, i, j]


def lenet():
    parameters, images, target = lenet_data()
    first = Convolution(images, *parameters[:2], inputs=False)
    second = Convolution(first.pooled, *parameters[2:4])
    net = Dense(second.pooled.reshape(len(images), -1), parameters[4:], back_to_relu=True)
    loss_of = cross_entropy(net.y, target)
    positive = np.empty(first.pooled.shape, bool)
    gradients = [*first.gradients, *second.gradients, *net.gradients]

    def step():
        first.forward()
        second.forward()
        net.forward()
        loss = loss_of(net.g)
        net.backward()
        second.g[:] = net.g_inputs.reshape(second.g.shape)
        second.backward()
        np.greater(first.pooled, 0.0, out=positive)
        np.multiply(second.g_images, positive, out=first.g)
        first.backward()
        descend(parameters, gradients, RATE)
        return loss

    return Work(step, lambda: parameters)
