"""What a run is at one moment; a checkpoint holds all of it."""

import dataclasses
from typing import Any

import flax.struct
import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Int

from naomi_jax.training import adversary
from naomi_jax.training.adversary import Discriminator
from naomi_jax.training.optimizer import make_optimizer
from naomi_jax.training.plan import Plan
from naomi_jax.training.settings import Run


class TrainState(flax.struct.PyTreeNode):
    """A pytree; donated to each update.

    Attributes:
      step: the updates done, over all phases. It counts updates and not time steps; its name is
        that of checkpoints on disk.
      params: the model.
      opt_state: the optimizer's, fresh at the start of each phase that has its own.
      adversary: the discriminator, or None in a run without an adversarial phase.
      average: the exponential moving average of params, or None.
    """

    step: Int[Array, ""]
    params: Any
    opt_state: Any
    adversary: Discriminator | None = None
    average: Any = None

    @property
    def model(self):
        """The parameters to impute with."""
        return self.params if self.average is None else self.average

    def tree(self) -> dict:
        """As it is saved: without an average where there is none."""
        fields = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        return {k: v for k, v in fields.items() if k != "average" or v is not None}


def initial_state(run: Run, plan: Plan) -> TrainState:
    """The state before the first update."""
    key = jax.random.key(run.seed)
    params = run.kind.fresh(key, run.method, run.transforms.model_dim(plan.dim))
    opt_state = make_optimizer(plan.phases[0], params).init(params)
    judge = None
    if run.adversary is not None:
        judge = adversary.init(jax.random.fold_in(key, 3), run.adversary, run.kind, plan.dim)
    state = TrainState(jnp.zeros((), jnp.int32), params, opt_state, judge)
    return with_params(state, params, bool(run.average)) if run.average else state


def with_params(state: TrainState, params, average: bool) -> TrainState:
    """The state with other parameters, and with their average; a copy, as the state is donated."""
    copied = jax.tree.map(jnp.copy, params) if average else None
    return state.replace(params=params, average=copied)


def follow(state: TrainState, decay: float) -> TrainState:
    """The state with its average moved toward the parameters; faster in the beginning."""
    if state.average is None:
        return state
    updates = state.step.astype(jnp.float32)
    share = 1 - jnp.minimum(decay, (1 + updates) / (10 + updates))
    return state.replace(average=optax.incremental_update(state.params, state.average, share))
