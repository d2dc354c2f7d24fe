"""NAOMI as an eager PyTorch loop: the names and layout of the public checkpoints, the recursion by hand."""

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


class Naomi(nn.Module):
    """One mask for the batch, x_0 observed."""

    def __init__(self, dim, hidden, layers, levels, width, stochastic):
        super().__init__()
        self.gru = nn.GRU(dim, hidden, layers)
        self.back_gru = nn.GRU(dim + 1, hidden, layers)
        self.networks = nn.ModuleDict(
            {str(2**level): Head(hidden, width, dim, stochastic) for level in range(levels)}
        )

    def impute(self, x, mask, noise=None):
        """x (T, B, D), mask (T,) bool, noise (T, B, D) or None."""
        steps = len(x)
        x, known = x.clone(), mask.clone()
        x[~known] = 0
        while not known.all():
            gap = int(known.float().argmin())
            later = known[gap:].nonzero()
            end = gap + int(later[0]) if len(later) else steps
            stride = 1
            while 2 * stride in map(int, self.networks) and gap - 1 + 4 * stride <= end:
                stride *= 2
            target = gap - 1 + stride
            left = self.gru(x[:gap])[0][-1]
            right = self._backward_state(x, known, target + stride)
            head = self.networks[str(stride)]
            hidden = head.dec(torch.cat([left, right], dim=-1))
            x[target] = head.mean(hidden)
            if noise is not None:
                x[target] = x[target] + head.std(hidden) * noise[target]
            known[target] = True
        return x

    def _backward_state(self, x, known, step):
        if step == len(x):
            return x.new_zeros(x.shape[1], self.gru.hidden_size)
        flag = known[step:, None, None].to(x.dtype).expand(-1, x.shape[1], 1)
        inputs = torch.cat([flag, flag * x[step:]], dim=-1)
        return self.back_gru(inputs.flip(0))[0][-1]
