"""One self-contained HTML page about one or several runs on the same data."""

import html
import importlib.resources
import json
import os
import shlex
import tempfile
from collections.abc import Sequence
from typing import NamedTuple

import jax
import numpy as np

from naomi_jax.atomic import atomic_write
from naomi_jax.data.dataset import Dataset
from naomi_jax.evaluation import report, robustness, samples, tables
from naomi_jax.figures import curves, drawing, film, style
from naomi_jax.methods.method import Frame
from naomi_jax.runs import record as run_record
from naomi_jax.training import log

_STYLESHEET = importlib.resources.files("naomi_jax.figures") / "page.css"


def write(folders: list[str], dataset: Dataset, path: str, command: list[str]) -> None:
    """The page of runs on `dataset`.

    Args:
      folders: of the runs, which report.by_task has passed. Forecasts beside imputations get a
        section of their own.
      dataset: their data.
      path: .html.
      command: that makes the page, as it was given.

    Raises:
      InputError: matplotlib is missing, or something cannot be read or written.
    """
    records = {folder: run_record.read(folder).as_json() for folder in folders}
    imputing, forecasting = report.by_task(folders)
    if not imputing:
        imputing, forecasting = forecasting, []
    models, runs = report.load(imputing, dataset)
    measured = _measure(models, runs, dataset)
    parts = sections(
        records,
        dataset,
        measured,
        film.recursion(models, measured.example.shown),
        command,
        _distribution(models, runs, dataset),
        _measure(*report.load(forecasting, dataset), dataset) if forecasting else None,
    )
    with atomic_write(path, encoding="utf-8") as file:
        file.write(document(dataset.source, parts))


class Measured(NamedTuple):
    """What the page has of models under one kind of masks.

    Attributes:
      table: their metrics.
      example: a test sequence, filled.
      curves: their metrics against the number of missing steps.
      forecast: whether the last steps are missing.
    """

    table: tables.Table
    example: drawing.Example
    curves: robustness.Curves
    forecast: bool


def _measure(models, runs, dataset):
    masks, given = report.test_masks(runs[0], dataset)
    counts = robustness.sensible_counts(masks, dataset.steps)
    return Measured(
        tables.make_table(models, dataset, masks, given),
        drawing.fill_example(models, dataset, masks, given),
        robustness.curves(models, dataset, masks, counts),
        masks.kind == "tail",
    )


def document(title: str, sections: list[str]) -> str:
    """The HTML around the sections."""
    stylesheet = _STYLESHEET.read_text(encoding="utf-8")
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{html.escape(title)}</title><style>\n{stylesheet}</style>{''.join(sections)}</html>\n"
    )


def sections(
    records: dict[str, dict],
    dataset: Dataset,
    measured: Measured,
    recursion: tuple[str, Sequence[Frame]] | None,
    command: list[str],
    drawn: tuple[str, samples.Distribution] | None = None,
    forecast: Measured | None = None,
) -> list[str]:
    """The parts of the page as HTML.

    Args:
      records: for each run's folder what its config.json holds.
      dataset: their data.
      measured: of the runs.
      recursion: method's name and frames for the filled sequence, or None.
      command: that makes the page.
      drawn: name and samples of a stochastic method, or None.
      forecast: of runs that forecast, or None.
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
        _film(dataset, measured.example, *recursion) if recursion else "",
        _curves("More and more missing", measured),
        _samples(dataset, *drawn) if drawn else "",
        _forecast(dataset, forecast) if forecast else "",
        _figure("Training", curves.training(logs), "A line for each run."),
        _section("Settings", _settings(records, command)),
    ]


def _example(dataset, measured):
    return _figure(
        "A test sequence, forecast" if measured.forecast else "A test sequence, filled",
        drawing.filled(dataset, measured.example),
        "Dots are the steps shown to the models, all that they see.",
    )


def _curves(title, measured):
    return _figure(
        title,
        curves.robustness(measured.curves),
        "Medians over test sequences; bands hold the middle half of them.",
    )


def _forecast(dataset, forecast):
    """Section 4.4 of the paper: the same models, trained on with only leading steps shown."""
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


def _film(dataset, example, name, frames):
    kinds = {"gif": "image/gif", **({"mp4": "video/mp4"} if film.has_ffmpeg() else {})}
    with tempfile.TemporaryDirectory() as folder:
        paths = [os.path.join(folder, f"recursion.{ending}") for ending in kinds]
        film.write(dataset, example, name, frames, *paths)
        films = {}
        for (ending, kind), path in zip(kinds.items(), paths):
            with open(path, "rb") as file:
                films[ending] = style.data_uri(kind, file.read())
    caption = (
        f"{style.title(name)} on the same sequence, in the order in which the schedule decodes it. "
        "Dashed: the two pivots. Color: the level."
    )
    image = _image(films.pop("gif"), "the recursion, animated", caption, films)
    return _section("The recursion", image)


def _distribution(models, runs, dataset):
    """Name and samples of the first stochastic model, or None without one."""
    for model, run in zip(models, runs):
        if getattr(run.method, "stochastic", False):
            most = dataset.steps - report.test_masks(run, dataset)[0].low
            shown = np.unique(np.linspace(1, max(most, 3), 4).round().astype(int))[1:]
            return model.method.name, samples.draw(model, dataset, shown)
    return None


def _samples(dataset, name, drawn):
    figure = drawing.distribution(dataset, drawn, name)
    caption = (
        f"{style.title(name)}: {drawn.samples.shape[1]} samples of one test sequence; black: the "
        "truth and what is shown."
    )
    head = "".join(
        f"<th>{cell}</th>"
        for cell in (
            "steps shown",
            "spread (standard deviation)",
            "CRPS",
            *(f"inside the {level:.0%} interval" for level in samples.LEVELS),
        )
    )
    rows = []
    for steps, mask, values in zip(drawn.shown, drawn.mask, drawn.samples):
        shares = samples.coverage(values, drawn.truth, mask)
        cells = [
            f"{steps}",
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
