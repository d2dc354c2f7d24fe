"""NAOMI as an eager PyTorch loop: what a user who ports Algorithm 1 step by step would write.

It has the names and the layout of the public checkpoints, so that `naomi_jax.from_torch` takes its
state_dict. It is the opponent in benchmarks/run.py, and tests compare our decode with it.
"""

import torch
from torch import nn


class Head(nn.Module):
    """networks.<s>: dec.0, mean and, for stochastic models, std.0."""

    def __init__(self, hidden, width, dim, stochastic):
        super().__init__()
        self.dec = nn.Sequential(nn.Linear(2 * hidden, width), nn.ReLU())
        self.mean = nn.Linear(width, dim)
        if stochastic:
            self.std = nn.Sequential(nn.Linear(width, dim), nn.Softplus())

    def forward(self, left, right):
        hidden = self.dec(torch.cat([left, right], dim=-1))
        return self.mean(hidden), (self.std(hidden) if hasattr(self, "std") else None)


class Naomi(nn.Module):
    """Time-major, x (T, B, D), with one mask (T,) for the batch."""

    def __init__(self, dim, hidden, layers, levels, width, stochastic=False):
        super().__init__()
        self.gru = nn.GRU(dim, hidden, layers)
        self.back_gru = nn.GRU(dim + 1, hidden, layers)
        self.networks = nn.ModuleDict(
            {str(2**level): Head(hidden, width, dim, stochastic) for level in range(levels)}
        )
        self.strides = [2**level for level in range(levels)]

    def _zero_state(self, x):
        return x.new_zeros(self.gru.num_layers, x.shape[1], self.gru.hidden_size)

    def _backward_states(self, x, known):
        """hb_0 .. hb_T, a list of (layers, B, H)."""
        state = self._zero_state(x)
        states = [state]
        for t in reversed(range(len(x))):
            state = self._step_back(x[t] if known[t] else None, state)
            states.append(state)
        return states[::-1]

    def _step_back(self, value, state):
        batch, dim = state.shape[1], self.gru.input_size
        if value is None:
            inputs = state.new_zeros(batch, dim + 1)
        else:
            inputs = torch.cat([value.new_ones(batch, 1), value], dim=-1)
        return self.back_gru(inputs[None], state)[1]

    def impute(self, x, mask, noise=None):
        """Fill x where mask (a list of T bools) is False.

        noise (T, B, D) is for stochastic models; without it they fill in their means.
        """
        steps, known = len(x), list(mask)
        noise = torch.zeros_like(x) if noise is None else noise
        values = [x[t] if known[t] else x.new_empty(0) for t in range(steps)]
        backward = self._backward_states(x, known)
        state, last = self._zero_state(x), -1
        while last < steps - 1:
            if not known[last + 1]:
                end = next((t for t in range(last + 1, steps) if known[t]), steps)
                stride = max(s for s in self.strides if s == 1 or last + 2 * s <= end)
                target = last + stride
                mean, std = self.networks[str(stride)](state[-1], backward[target + stride][-1])
                values[target] = mean if std is None else mean + std * noise[target]
                known[target] = True
                # As the public code does; no head reads the states further down.
                for t in range(target, target - stride // 2 - 1, -1) if stride > 1 else ():
                    value = values[target] if t == target else None
                    backward[t] = self._step_back(value, backward[t + 1])
                continue
            state = self.gru(values[last + 1][None], state)[1]
            last += 1
        return torch.stack(values)

    def teacher_forced(self, x, mask):
        """Squared error of every (step, level) pair, divided by T and B; no recursion."""
        steps, total = len(x), 0.0
        backward = self._backward_states(x, list(mask))
        state = self._zero_state(x)
        for last in range(-1, steps - 1):
            if last >= 0:
                state = self.gru(x[last][None], state)[1]
            for stride in self.strides:
                if last + 2 * stride <= steps:
                    mean, _ = self.networks[str(stride)](state[-1], backward[last + 2 * stride][-1])
                    total = total + (x[last + stride] - mean).square().sum()
        return total / (steps * x.shape[1])
