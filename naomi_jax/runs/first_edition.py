"""Settings of runs made by the first edition (naomi_jax 0.1), as settings of today."""

from typing import Any

# Settings that its earlier runs do not have, and what they did.
_DEFAULTS = {
    "neighbours": 0,
    "average": 0.0,
    "root_share": 0.0,
    "precision": "float32",
    "channel_independent": False,
    "box_symmetries": False,
    "task": "impute",
    "start_from": "",
}
_GONE = ("epochs", "drop")  # of a phase: not its optimizer's any more


def made(settings: dict[str, Any]) -> bool:
    """Whether these are settings of the first edition."""
    return "model" in settings and "method" not in settings


def convert(settings: dict[str, Any], shape: list[int]) -> dict[str, Any]:
    """The settings as `training.settings.to_json` writes them.

    Two things of the first edition are gone and are approximated, which matters only to a run that
    would be trained further: a rate that falls in one step, and one mask for each sequence.

    Args:
      settings: of its config.json.
      shape: (N, T, D) of the training data.
    """
    old = {**_DEFAULTS, **settings}
    sizes = {"context": False, "rotation": 0.0, "residual": False, **old["model"]}
    name = sizes.pop("kind")
    if name not in ("naomi", "single_res"):
        for extra in ("levels", "residual", "context", "rotation"):
            sizes.pop(extra, None)
    elif name == "single_res":
        sizes["levels"] = 1
    return {
        "data": {
            "name": old["dataset"],
            "path": old["data"] or None,
            "window": old.get("window"),
            "stride": old.get("stride"),
        },
        "method": {"name": name, **sizes},
        "masks": _masks(old["masks"], shape[1], old["task"] == "forecast"),
        "phases": _phases(old, max(shape[0] // old["batch_size"], 1)),
        "transforms": {
            "standardize": {"feature": "column"}.get(old["standardise"], old["standardise"]),
            "neighbors": old["neighbours"],
            "channel_independent": old["channel_independent"],
            "symmetries": bool(old["box_symmetries"]),
            "time_reversal": False,
        },
        "adversary": _adversary(old) if old["adversarial"]["epochs"] else None,
        **{name: old[name] for name in ("batch_size", "average", "precision", "eval_epochs")},
        "seed": old["seed"],
        "start_from": old["start_from"] or None,
    }


def _masks(old, steps, forecast):
    def count(value):  # a value below 1 was a share of the sequence
        return round(value * steps) if 0 < value < 1 else int(value)

    if old["kind"] == "file":
        return {which: {"kind": old["file"]} for which in ("train", "test")}
    high = min(count(old["high"]), steps - 1)
    low = count(old["low"])
    kind = "tail" if forecast else old["kind"]
    fewest = count(old.get("training_low", 0)) or low
    return {
        "train": {"kind": kind, "missing": [fewest, high]},
        "test": {"kind": kind, "missing": [low, high]},
    }


def _phases(old, per_epoch):
    phases = []
    if old["task"] != "forecast":
        phases.append(_phase("teacher_forced", old["teacher_forced"]))
    free, share = old["free_running"], old["root_share"]
    if share:
        phases.append(_phase("root_error", free, free["epochs"] * share))
    phases.append(_phase("squared_error", free, free["epochs"] * (1 - share)))
    if share:
        phases[-1]["optimizer"] = None
    adversarial = old["adversarial"]
    if adversarial["epochs"]:
        updates = old["discriminator"]["pretrain_updates"]
        alone = {"objective": "discriminator", "epochs": updates / per_epoch}
        phases += [alone, _phase("adversarial", adversarial)]
    return phases


def _phase(objective, old, epochs=None):
    optimizer = {name: value for name, value in old.items() if name not in _GONE}
    if optimizer["schedule"] == "step":
        optimizer["schedule"] = "constant"
    optimizer["learning_rate"] = optimizer["learning_rate"] or 1e-3
    epochs = old["epochs"] if epochs is None else epochs
    return {"objective": objective, "epochs": epochs, "optimizer": optimizer}


def _adversary(old):
    fields = dict(old["discriminator"])
    del fields["pretrain_updates"]
    fields["until"] = fields.pop("pretrain_until")
    return fields
