"""One self-contained HTML page about one or several runs on the same data."""

import html
import os
import tempfile
from collections.abc import Sequence
from typing import NamedTuple

from naomi_jax.data import registry as datasets
from naomi_jax.data.dataset import Dataset
from naomi_jax.evaluation import report, robustness, samples, tables
from naomi_jax.figures import curves, drawing, film, parts, style
from naomi_jax.methods.method import Frame
from naomi_jax.runs import record as run_record
from naomi_jax.training import log


def write(
    tasks: tuple[list[str], list[str]], dataset: Dataset, path: str, command: list[str]
) -> None:
    """The page of runs on `dataset`.

    Args:
      tasks: folders of the runs, as report.by_task gives them. Forecasts beside imputations get a
        section of their own.
      dataset: their data.
      path: .html.
      command: that makes the page, as it was given.

    Raises:
      InputError: matplotlib is missing, or something cannot be read or written.
    """
    imputing, forecasting = tasks
    records = {name: run_record.read(name).as_json() for name in (*imputing, *forecasting)}
    if not imputing:
        imputing, forecasting = forecasting, []
    models, runs = report.load(imputing, dataset)
    measured = _measure(models, runs, dataset)
    found = sections(
        records,
        dataset,
        measured,
        film.recursion(models, measured.example.shown),
        command,
        _distribution(models, runs, dataset),
        _measure(*report.load(forecasting, dataset), dataset) if forecasting else None,
    )
    parts.write(path, dataset.source, found)


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
        parts.section("How well it forecasts" if measured.forecast else "How well it fills", ""),
        _table(measured.table),
        _example(dataset, measured),
        _film(dataset, measured.example, *recursion) if recursion else "",
        _curves("More and more missing", measured),
        _samples(dataset, *drawn) if drawn else "",
        _forecast(dataset, forecast) if forecast else "",
        parts.figure("Training", curves.training(logs), "A line for each run."),
        parts.foot(records, command),
    ]


def _example(dataset, measured):
    return parts.figure(
        "A test sequence, forecast" if measured.forecast else "A test sequence, filled",
        drawing.filled(dataset, measured.example),
        "Dots are the steps shown to the models, all that they see.",
    )


def _curves(title, measured):
    return parts.figure(
        title,
        curves.robustness(measured.curves),
        "Medians over test sequences; bands hold the middle half of them.",
    )


def _forecast(dataset, forecast):
    """Section 4.4 of the paper: the same models, trained on with only leading steps shown."""
    return (
        parts.section("Forward prediction", parts.faint(forecast.table.test_set))
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


def _table(table):
    head, *rows = table.cells()
    # A unit such as [1e-3] is not to be broken at its hyphen.
    head = [html.escape(cell).replace("-", "&#8209;") for cell in head]
    body = [[html.escape(cell) for cell in row] for row in rows]
    note = "In brackets: the paper, on its own data." if any(r.paper for r in table.rows) else ""
    return parts.table(head, body) + parts.faint(note)


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
    image = parts.image(films.pop("gif"), "the recursion, animated", caption, films)
    return parts.section("The recursion", image)


def _distribution(models, runs, dataset):
    """Name and samples of the first stochastic model, or None without one."""
    for model, run in zip(models, runs):
        if getattr(run.method, "stochastic", False):
            config, _ = report.test_masks(run, dataset)
            shown = samples.sensible_shown(config, dataset.steps)
            kind = "tail" if config.kind == "tail" else "random"
            return model.method.name, samples.draw(model, dataset, shown, kind)
    return None


def _samples(dataset, name, drawn):
    figure = drawing.distribution(dataset, drawn, name)
    caption = (
        f"{style.title(name)}: {drawn.samples.shape[1]} samples of one test sequence; black: the "
        "truth and what is shown."
    )
    kind = datasets.get(dataset.name)
    head, rows = samples.judge(drawn, kind.metrics if kind.has_expert else ())
    picture = parts.picture("samples", figure, caption)
    ranks = parts.picture(
        "ranks",
        curves.ranks(drawn, name),
        "Where the truth stands among its samples, in tenths of them: flat where they can be "
        "trusted, high at both ends where they are too sure, high in the middle where too wide.",
    )
    content = picture + parts.table(head, rows) + ranks
    return parts.section("What it believes", content)
