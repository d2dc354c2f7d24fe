"""One self-contained HTML page about one or several runs on the same data."""

import html
import json
import os
import shlex
import tempfile
from typing import NamedTuple

import jax
import numpy as np

from naomi_jax.data import atomic as writing
from naomi_jax.data.dataset import Dataset
from naomi_jax.evaluation import recursion, report, robustness, samples, tables
from naomi_jax.figures import drawing as figures
from naomi_jax.figures import style
from naomi_jax.runs import folder as run_folder
from naomi_jax.training import log

_STYLE = """
:root { color-scheme: light dark; --text: #1d1d1f; --page: #fff; --faint: #6b6b70; --rule: #d8d8dc;
        --link: #0645c8; --mark: #c1272d; }
@media (prefers-color-scheme: dark) {
  :root { --text: #ececee; --page: #17171a; --faint: #a0a0a8; --rule: #3a3a40;
          --link: #8ab4ff; --mark: #ff6b6b; }
}
body { font: 16px/1.5 system-ui, sans-serif; color: var(--text); background: var(--page);
       max-width: 60rem; margin: 0 auto; padding: 1rem; }
h1 { font-size: 1.6rem; line-height: 1.2; } h2 { font-size: 1.2rem; margin-top: 2.2rem; }
figure { margin: 1rem 0; overflow-x: auto; } figcaption, .faint { color: var(--faint); font-size: .9rem; }
img { max-width: 100%; min-width: 34rem; height: auto; background: #fff; border-radius: 6px; }
img[src^="data:image/gif"] { min-width: 0; }
@media (max-width: 35rem) {
  figure:not(:has([src^="data:image/gif"]))::before { content: "scroll sideways \\2192"; color: var(--faint); font-size: .8rem; }
}
.wide { overflow-x: auto; background:  /* shadows where a table goes on */
  linear-gradient(to right, var(--page) 40%, transparent) left / 2rem 100% no-repeat local,
  linear-gradient(to left, var(--page) 40%, transparent) right / 2rem 100% no-repeat local,
  linear-gradient(to right, #0005, transparent) left / .8rem 100% no-repeat scroll,
  linear-gradient(to left, #0005, transparent) right / .8rem 100% no-repeat scroll; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .3rem .6rem; text-align: right; white-space: nowrap; border-bottom: 1px solid var(--rule); }
th { white-space: normal; } th:first-child, td:first-child { text-align: left; }
pre { overflow-x: auto; font-size: .85rem; } strong.simulated { color: var(--mark); } a { color: var(--link); }
"""


def write(folders: list[str], dataset: Dataset, path: str, command: list[str]) -> None:
    """The page of runs on `dataset`.

    Args:
      folders: of the runs, which report.by_task has passed. Forecasts beside imputations get a section
        of their own.
      dataset: their data.
      path: .html.
      command: that makes the page, as it was given.

    Raises:
      InputError: matplotlib is missing, or something cannot be read or written.
    """
    records = {folder: run_folder.read(folder) for folder in folders}
    imputing, forecasting = report.by_task(folders)
    if not imputing:
        imputing, forecasting = forecasting, []
    models, configs = report.load(imputing, dataset)
    measured = _measure(models, configs, dataset)
    parts = sections(
        records,
        dataset,
        measured,
        recursion.of_models(models, measured.shown.known),
        command,
        _distribution(models, configs, dataset),
        _measure(*report.load(forecasting, dataset), dataset) if forecasting else None,
    )
    with writing.whole(path, mode="w", encoding="utf-8") as file:
        file.write(document(dataset.source, parts))


class Measured(NamedTuple):
    """What is shown of models under one kind of masks.

    Attributes:
      table: their metrics.
      shown: a test sequence, filled.
      curves: their metrics against the number of missing steps.
      forecast: whether the last steps are missing.
    """

    table: tables.Table
    shown: figures.Example
    curves: robustness.Curves
    forecast: bool


def _measure(models, configs, dataset):
    masks, given = configs[0].masks, report.mask_file(configs[0])
    counts = robustness.sensible_counts(masks, dataset.steps)
    return Measured(
        tables.make_table(models, dataset, masks, given),
        figures.example(models, dataset, masks, given),
        robustness.curves(models, dataset, masks, counts),
        masks.kind == "tail",
    )


def document(title: str, sections: list[str]) -> str:
    """The HTML around the sections."""
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{html.escape(title)}</title><style>{_STYLE}</style>{''.join(sections)}</html>\n"
    )


def sections(records, dataset, measured, animated, command, drawn=None, forecast=None) -> list[str]:
    """The parts of the page as HTML.

    Args:
      records: for each run's folder what run_folder.read gives.
      dataset: their data.
      measured: Measured of the runs.
      animated: (title, frames) of recursion.of_models for the filled sequence, or None.
      command: that makes the page.
      drawn: (title, samples.Distribution) of a stochastic model, or None.
      forecast: Measured of runs that forecast, or None.
    """
    logs = {
        os.path.basename(os.path.normpath(folder)): log.read(os.path.join(folder, "metrics.jsonl"))
        for folder in records
    }
    return [
        _head(dataset, measured),
        _section("How well it forecasts" if measured.forecast else "How well it fills", ""),
        _table(measured.table),
        _example(dataset, measured),
        _animation(dataset, measured.shown, *animated) if animated else "",
        _curves("More and more missing", measured),
        _samples(dataset, *drawn) if drawn else "",
        _forecast(dataset, forecast) if forecast else "",
        _figure("Training", figures.training(logs), "A line for each run."),
        _section("Settings", _settings(records, command)),
    ]


def _example(dataset, measured):
    return _figure(
        "A test sequence, forecast" if measured.forecast else "A test sequence, filled",
        figures.filled(dataset, measured.shown),
        "Dots are the observed steps, all that the models see.",
    )


def _curves(title, measured):
    return _figure(
        title,
        figures.robustness(measured.curves),
        "Medians over test sequences; bands hold the middle half of them.",
    )


def _forecast(dataset, forecast):
    """Section 4.4 of the paper: the same models, trained on with leading steps observed alone."""
    note = f'<p class="faint">{html.escape(forecast.table.test_set)}</p>'
    return (
        _section("Forward prediction", note)
        + _table(forecast.table)
        + _example(dataset, forecast)
        + _curves("Further and further ahead", forecast)
    )


def _head(dataset, measured):
    doing = "Forecasting" if measured.forecast else "Filling"
    mark = '<strong class="simulated">SIMULATED data: </strong>' if dataset.simulated else ""
    return (
        f"<h1>{doing} {html.escape(dataset.name)}</h1>"
        f"<p>{mark}{html.escape(dataset.source)}<br>"
        f'<span class="faint">{html.escape(measured.table.test_set)}</span></p>'
    )


def _section(title, content):
    return f"<h2>{html.escape(title)}</h2>{content}"


def _figure(title, figure, caption):
    return _section(title, _pictures(figure, title, caption))


def _pictures(figure, title, caption):
    png, svg = style.inline(figure)
    return _image(png, title, caption, {"svg": svg})


def _image(source, title, caption, others=None):
    """A picture, and links to the same in other formats, by ending."""
    links = "".join(
        f' <a download="{html.escape(title)}.{ending}" href="{uri}">{ending.upper()}</a>'
        for ending, uri in (others or {}).items()
    )
    return (
        f'<figure><img src="{source}" alt="{html.escape(title)}">'
        f"<figcaption>{html.escape(caption)}{links}</figcaption></figure>"
    )


def _table(table):
    head, *rows = table.cells()
    # A unit such as [1e-3] is not to be broken at its hyphen.
    head = [html.escape(cell).replace("-", "&#8209;") for cell in head]
    cells = "".join(f"<th>{cell}</th>" for cell in head)
    lines = [f"<tr>{cells}</tr>"]
    for row in rows:
        lines.append("<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>")
    note = "In brackets: the paper, on its own data." if any(r.paper for r in table.rows) else ""
    body = "".join(lines)
    return f'<div class="wide"><table>{body}</table></div><p class="faint">{note}</p>'


def _animation(dataset, shown, title, frames):
    kinds = {"gif": "image/gif", **({"mp4": "video/mp4"} if figures.has_ffmpeg() else {})}
    with tempfile.TemporaryDirectory() as folder:
        paths = [os.path.join(folder, f"recursion.{ending}") for ending in kinds]
        figures.animation(dataset, shown, title, frames, *paths)
        films = {}
        for (ending, kind), path in zip(kinds.items(), paths):
            with open(path, "rb") as file:
                films[ending] = style.data_uri(kind, file.read())
    caption = (
        f"{title} on the same sequence, in the order in which the schedule decodes it. Dashed: the two "
        "pivots. Colour: the level."
    )
    image = _image(films.pop("gif"), "the recursion, animated", caption, films)
    return _section("The recursion", image)


def _distribution(models, configs, dataset):
    """Samples of the first stochastic model, or None without one."""
    for model, config in zip(models, configs):
        if config.model.stochastic:
            most = dataset.steps - config.masks.low
            observed = np.unique(np.linspace(1, max(most, 3), 4).round().astype(int))[1:]
            return model.title, samples.draw(model, dataset, observed)
    return None


def _samples(dataset, title, drawn):
    figure = figures.distribution(dataset, drawn)
    caption = f"{title}: 50 samples of one test sequence; black: the truth and what is observed."
    head = "".join(
        f"<th>{cell}</th>"
        for cell in (
            "steps observed",
            "spread (standard deviation)",
            "CRPS",
            *(f"inside the {level:.0%} interval" for level in samples.LEVELS),
        )
    )
    rows = []
    for observed, mask, values in zip(drawn.observed, drawn.mask, drawn.samples):
        shares = samples.coverage(values, drawn.truth, mask)
        cells = [
            f"{observed}",
            f"{samples.spread(values, mask):.4g}",
            f"{samples.crps(values, drawn.truth, mask):.4g}",
            *(f"{share:.1%}" for share in shares),
        ]
        rows.append("<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>")
    table = f'<div class="wide"><table><tr>{head}</tr>{"".join(rows)}</table></div>'
    image = _pictures(figure, "samples", caption)
    return _section("What it believes", image + table)


def _settings(records, command):
    parts = [f"<pre>{html.escape(shlex.join(command))}</pre>"]
    for folder, record in records.items():
        text = json.dumps(record, indent=1)
        parts.append(
            f"<details><summary>{html.escape(folder)}</summary><pre>{html.escape(text)}</pre></details>"
        )
    return "".join(parts) + f'<p class="faint">JAX {jax.__version__}</p>'
