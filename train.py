"""Train NAOMI: python train.py --dataset traffic|billiards|basketball|files [--data PATH] [--workdir DIR]

--model single_res|maskgan|grui|rnn trains one of the models it is compared with.
--config.task=forecast goes on from a trained run, with leading steps observed alone.

Every setting of the config can be changed: --config.model.hidden=64. Run the same command again to go
on where it stopped.
"""

import os
import sys
import time

from absl import flags
from ml_collections import config_flags

from naomi_jax.cli import process as commands
from naomi_jax.data import registry
from naomi_jax.evaluation import report
from naomi_jax.methods.registry import MODELS
from naomi_jax.runs import folder as run_folder
from naomi_jax.training import config as run_config
from naomi_jax.training import devices, loop

flags.DEFINE_enum(
    "dataset", None, registry.NAMES, "What to train on; traffic unless --data is given."
)
flags.DEFINE_string("data", None, "Your copy of the data: PEMS-SF, or a .npz, .npy or .csv file.")
flags.DEFINE_enum("model", "naomi", list(MODELS), "What to train; the config is made for it.")
flags.DEFINE_string("workdir", None, "The run's folder; runs/DATASET[_MODEL][_forecast].")
flags.DEFINE_string(
    "processes",
    None,
    "auto or HOST:PORT,COUNT,NUMBER: one of several processes that train together.",
)
config_flags.DEFINE_config_file("config", None, "The config; configs/DATASET.py by default.")

FLAGS = flags.FLAGS
CONFIGS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "configs")


def main():
    if FLAGS.processes:
        devices.join(FLAGS.processes)
        if not devices.leads():
            sys.stdout = open(os.devnull, "w")
    config = FLAGS.config
    kind = config.model.kind
    name = config.dataset if kind == "naomi" else f"{config.dataset}_{kind}"
    if config.task == "forecast":
        config.start_from = config.start_from or os.path.join("runs", name)
        name = f"{name}_forecast"
    workdir = FLAGS.workdir or os.path.join("runs", name)
    if FLAGS.data:
        config.data = os.path.abspath(FLAGS.data)
    settings = config.to_dict()
    dataset = registry.load(
        config.dataset,
        config.data or None,
        window=config.get("window"),
        stride=config.get("stride"),
        log=lambda line: print(line, flush=True),
        progress=sys.stderr.isatty(),
    )
    run = run_config.resolve(settings, dataset.train.shape)
    params = None
    if config.start_from and not run_folder.has_checkpoint(workdir):
        params = run_folder.start(config.start_from, run)
    found = run_folder.claim(workdir, settings, dataset)
    print(f"Training data: {dataset.source}")
    print(f"Run folder:    {workdir}{' (there is a run in it)' if found else ''}", flush=True)
    if config.start_from:
        print(f"Started from:  {config.start_from}", flush=True)

    began = time.monotonic()
    try:
        loop.train(run, dataset, workdir, params=params)
    except loop.Interrupted as stop:
        raise SystemExit(commands.interrupted(f"{stop}, all saved. Go on with: {commands.same()}"))
    print(f"Trained in {(time.monotonic() - began) / 60:.1f} minutes.\n")
    print(report.table_of_run(workdir, run, dataset))
    print(f"\nNext: fill the holes of your own file with\n  {_next_command(workdir, dataset)}")


def _next_command(workdir, dataset):
    return (
        f"python eval.py {workdir} --impute YOUR.csv --out FILLED.csv"
        f"   ({dataset.dim} columns, holes empty)"
    )


if __name__ == "__main__":
    commands.run(main, __doc__, default_config=CONFIGS)
