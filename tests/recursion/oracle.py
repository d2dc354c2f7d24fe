"""Algorithm 1 in plain numpy, as literal as possible: one sequence, one step, no state kept.

Every state is computed from scratch from what is known at that moment, so there is nothing here to
get out of date. Works on complex numbers too, which gives derivatives to the last digit: the
imaginary part of f(x + i h v) / h is the directional derivative along v, with no subtraction
(complex step).
"""

import numpy as np


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def relu(a):
    return np.where(a.real > 0, a, 0)


def softplus(a):
    return np.log1p(np.exp(a))


def gru_step(layers, x, state):
    new = []
    for layer, h in zip(layers, state):
        width = h.shape[0]
        a = x @ layer["wx"] + layer["b"]
        u = h @ layer["wh"]
        r = sigmoid(a[:width] + u[:width])
        z = sigmoid(a[width : 2 * width] + u[width : 2 * width])
        n = np.tanh(a[2 * width :] + r * (u[2 * width :] + layer["c"]))
        x = (1 - z) * n + z * h
        new.append(x)
    return new


def last_state(layers, inputs):
    """The last layer's state after the inputs, from zero."""
    state = [np.zeros(layer["wh"].shape[0]) for layer in layers]
    for x in inputs:
        state = gru_step(layers, x, state)
    return state[-1]


def head(heads, level, left, right):
    def dense(name, a):
        return a @ heads[name]["kernel"][level] + heads[name]["bias"][level]

    hidden = relu(dense("dec", np.concatenate([left, right])))
    return dense("mean", hidden), softplus(dense("std", hidden)) if "std" in heads else None


def context(params, x, mask, entries=None):
    """What a model with context reads of each step: (T, D + 2), or (T, 0) for one without."""
    steps, dim = x.shape
    if len(params["back_gru"][0]["wx"]) == dim + 1:
        return np.zeros((steps, 0))
    entries = (
        np.broadcast_to(np.array(mask, bool)[:, None], x.shape) if entries is None else entries
    )
    rows = []
    for t in range(steps):
        row = []
        for d in range(dim):
            before = [s for s in range(t + 1) if entries[s, d]]
            after = [s for s in range(t, steps) if entries[s, d]]
            c, n = before[-1] if before else -1, after[0] if after else steps
            row.append(line(x[:, d : d + 1], c, t, n)[0] if c < n else x[t, d])
        before = next((s for s in range(t - 1, -1, -1) if mask[s]), -1)
        after = next((s for s in range(t + 1, steps) if mask[s]), steps)
        rows.append([*row, np.log(t - before) / 2, np.log(after - t) / 2])
    return np.array(rows)


def forward_state(params, x, c, extra):
    """hf_c."""
    return last_state(params["gru"], np.concatenate([x, extra], axis=1)[: c + 1])


def backward_state(params, x, entries, t, extra):
    """hb_t from the entries (T, D) known now.

    I_t = [1 if all of x_t is known else 0, its known entries, 0 at the others].
    """
    inputs = [np.concatenate([[k.all()], k * v, e]) for k, v, e in zip(entries, x, extra)]
    return last_state(params["back_gru"], inputs[t:][::-1])


def line(x, c, t, n):
    """The straight line at t between x_c and x_n; c = -1 and n = len(x) do not exist."""
    if c < 0 or n >= len(x):
        ends = ([x[c]] if c >= 0 else []) + ([x[n]] if n < len(x) else [])
        return ends[0] if ends else np.zeros(x.shape[1])
    return x[c] + (t - c) / (n - c) * (x[n] - x[c])


def impute(params, x, mask, noise=None, entries=None):
    """Fill one sequence x (T, D) under mask (T,); returns it and the order [(step, level, c, n)].

    noise: (T, D) for a stochastic model. entries: (T, D) bool, known entries of missing steps.
    """
    steps = len(x)
    levels = params["heads"]["dec"]["bias"].shape[0]
    known = np.array(mask, bool).copy()
    entries = np.repeat(known[:, None], x.shape[1], axis=1) if entries is None else entries.copy()
    x = np.where(entries, x, 0)
    extra = context(params, x, known, entries)
    order = []
    while not known.all():
        c = int(np.argmin(known)) - 1  # the last step of the known beginning
        later = np.flatnonzero(known[c + 1 :])
        n = c + 1 + int(later[0]) if len(later) else steps
        level = max(level for level in range(levels) if c + 2 ** (level + 1) <= n)
        stride = 2**level
        target = c + stride
        left = forward_state(params, x, c, extra)
        right = backward_state(params, x, entries, c + 2 * stride, extra)
        mean, std = head(params["heads"], level, left, right)
        if "skip" in params["heads"]:
            n = next((t for t in range(c + 2 * stride, steps) if known[t]), steps)
            mean = mean + params["heads"]["skip"][level] * line(x, c, target, n)
        value = mean if std is None else mean + std * noise[target]
        x[target] = np.where(entries[target], x[target], value)
        entries[target] = known[target] = True
        order.append((target, level, c, n))
    return x, order


def teacher_forced(params, x, mask):
    """The teacher-forced loss of one sequence: the sum over (c, level), divided by T."""
    steps = len(x)
    extra = context(params, x, mask)
    entries = np.repeat(np.asarray(mask, bool)[:, None], x.shape[1], axis=1)
    total = 0.0
    for level in range(params["heads"]["dec"]["bias"].shape[0]):
        stride = 2**level
        for c in range(-1, steps - 2 * stride + 1):
            left = forward_state(params, x, c, extra)
            right = backward_state(params, x, entries, c + 2 * stride, extra)
            mean, std = head(params["heads"], level, left, right)
            if "skip" in params["heads"]:
                mean = mean + params["heads"]["skip"][level] * line(
                    x, c, c + stride, c + 2 * stride
                )
            error = x[c + stride] - mean
            if std is None:
                total = total + (error**2).sum()
            else:
                std = np.where(std.real < 1e-4, 1e-4, std)
                total = total + (error**2 / (2 * std**2) + np.log(std * np.sqrt(2 * np.pi))).sum()
    return total / steps
