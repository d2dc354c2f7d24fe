"""One self-contained HTML page about a table with holes and the imputer that fills them."""

import html
import os
from collections.abc import Callable, Sequence

import numpy as np

from naomi_jax.figures import parts, style, table_drawing
from naomi_jax.figures.table_drawing import Hole, View
from naomi_jax.imputer import saving
from naomi_jax.imputer.imputer import Imputer
from naomi_jax.jobs import filling, wording
from naomi_jax.tables.options import Options

_LEVEL = 0.9  # of the intervals
_OPEN = 12  # columns up to which the list of holes is shown at once
_TOLD = 8  # columns that the text in place of the map names


def write(
    run: str,
    source: str,
    options: Options,
    path: str,
    command: Sequence[str],
    say: Callable[[str], None],
) -> None:
    """The page of a table and the run that fills it.

    Args:
      run: folder of an imputer that a command made.
      source: the table's file.
      options: how to read it; what is not said is as in the fit.
      path: .html.
      command: that makes the page, as it was given.
      say: receives notes.

    Raises:
      InputError: matplotlib is missing, the table does not fit the imputer, or something cannot be
        read or written.
    """
    style.require_matplotlib()
    about = saving.read_about(run)
    imputer, record = Imputer.load(run), about["record"]
    table, notes, same = filling.read_again(source, options, record)
    for note in (*notes, *table.notes):
        say(f"{source}: {note}")
    filling.check_values(source, table)
    believed = filling.believe(imputer, table, source, record, _LEVEL, say)
    shown = table_drawing.view(table, believed)
    name = os.path.basename(source)
    note = f"; the run was fitted with naomi_jax {about['version']}"
    found = [
        *sections(name, shown, imputer, "" if same else wording.about(record)),
        parts.foot({run: record}, command, note),
    ]
    parts.write(path, name, found)


def sections(name: str, shown: View, imputer: Imputer, other: str = "") -> list[str]:
    """The parts of the page as HTML, but for its foot.

    Args:
      name: of the table.
      shown: the table, filled.
      imputer: that fills it.
      other: the table that the imputer was fitted on, where it is another one.
    """
    return [
        _head(name, shown, other),
        parts.section("How well it fills", _report(imputer)),
        parts.section("Where the holes are", _holes(name, shown)),
        parts.section("How some of them are filled", _stretches(shown)),
    ]


def _head(name, shown, other):
    count, columns = shown.values.shape
    missing = int(shown.missing.sum())
    series = int(shown.first.sum())
    facts = [
        f"{count:,} rows",
        *([f"{series:,} series"] if series > 1 else []),
        f"{columns:,} {'column' if columns == 1 else 'columns'}",
        f"{missing:,} of {count * columns:,} entries missing ({_share(missing, count * columns)})",
    ]
    if shown.times is not None:
        ends = [int(np.argmin(shown.times)), int(np.argmax(shown.times))]
        facts.append(f"{shown.time_name}: " + " to ".join(table_drawing.moments(shown, ends)))
    text = f"<h1>Filling {html.escape(name)}</h1><p>{html.escape('; '.join(facts))}</p>"
    if other:
        text += (
            '<p><strong class="simulated">Another table</strong> than the one that the run was '
            f"fitted on, which is {html.escape(other)}. The errors below are those of the fit.</p>"
        )
    return text


def _share(part, whole):
    """A percentage that is not rounded to nothing or to all."""
    percent = 100 * part / max(whole, 1)
    shown = f"{percent:.1f}"
    if (part and shown == "0.0") or (part < whole and shown == "100.0"):
        return "less than 0.1 %" if percent < 1 else "more than 99.9 %"
    return f"{shown} %"


def _report(imputer):
    head, rows = wording.rows(imputer)
    body = []
    for row in rows:
        cells = [
            f"<strong>{cell}</strong>" if number in row.best else cell
            for number, cell in enumerate(row.cells)
        ]
        body.append([_named(row.name), *cells])
    remarks = "".join(f"<p>{html.escape(line)}</p>" for line in wording.sentences(imputer))
    lengths = parts.table(*wording.lengths(imputer), "wide")
    return (
        parts.table(["column", *head], body, "wide names")
        + remarks
        + parts.faint(f"{wording.ERRORS}; bold: the smallest.")
        + lengths
        + parts.faint(f"{wording.LENGTHS}.")
    )


def _named(name):
    """A column's name as HTML: text of the user, in whatever direction it is written."""
    return f"<bdi>{html.escape(' '.join(name.split()) or '(no name)')}</bdi>"


def _holes(name, shown):
    found = [table_drawing.holes(shown, column) for column in range(len(shown.names))]
    if not any(found):
        return "<p>Nothing is missing.</p>"
    longest = [max(each, key=lambda hole: hole.length, default=None) for each in found]
    columns = table_drawing.mapped(shown)
    picture = parts.picture(
        f"Holes of {name}",
        table_drawing.hole_map(shown),
        _caption(shown, columns),
        _in_words(name, shown, columns, longest),
    )
    return picture + _list(shown, found, longest)


def _caption(shown, columns):
    """How to read the map."""
    binned = len(table_drawing.shares(shown)) < len(shown.first)
    more = "; the darker, the more of the rows behind a point" if binned else ""
    text = f"Dark: missing{more}."
    if len(table_drawing.borders(shown)):
        text += " A red line: the next series begins."
    if shown.times is not None:
        text += " Rows in the order of their times; every row is equally wide."
    if len(columns) < len(shown.names):
        text += f" The {len(columns)} columns with the most holes of {len(shown.names)}."
    if any(table_drawing.label(shown, c) == f"column {c + 1}" != shown.names[c] for c in columns):
        text += " A name that cannot be drawn is replaced by its place in the list below."
    return text


def _in_words(name, shown, columns, longest):
    """The map for those who do not see it."""
    missing = shown.missing.mean(0)
    told = sorted(columns[np.argsort(-missing[columns], kind="stable")][:_TOLD])
    words = [
        f"{shown.names[c]}: {_share(missing[c], 1)} missing, longest hole {longest[c].length} rows"
        for c in told
        if longest[c]
    ]
    rest = "; all columns are in the list below" if len(told) < len(shown.names) else ""
    return f"Map of the holes of {name}. " + "; ".join(words) + rest


def _list(shown, found, longest):
    """The map as a table: for each column its holes."""
    body = []
    for column, (each, hole) in enumerate(zip(found, longest)):
        count = int(shown.missing[:, column].sum())
        row = [_named(shown.names[column]), _share(count, len(shown.first)), f"{len(each):,}"]
        if hole is None:
            body.append([*row, "-", "-"])
            continue
        body.append([*row, f"{hole.length:,} rows", html.escape(_place(shown, hole))])
    head = ["column", "missing", "holes", "longest", "from - to"]
    state = " open" if len(body) <= _OPEN else ""
    table = parts.table(head, body, "wide names")
    return f"<details{state}><summary>The holes of every column</summary>{table}</details>"


def _place(shown: View, hole: Hole) -> str:
    ends = table_drawing.moments(shown, [hole.begin, hole.begin + hole.length - 1])
    place = ends[0] if hole.length == 1 else " - ".join(ends)
    return place if shown.series is None else f"series {shown.series[hole.begin]}, {place}"


def _stretches(shown):
    found = table_drawing.examples(shown)
    if not found:
        return "<p>There is no hole of a length that can be drawn with values on both sides.</p>"
    text = ""
    for hole in found:
        name, place = shown.names[hole.column], _place(shown, hole)
        rows = "1 row" if hole.length == 1 else f"{hole.length} rows"
        caption = f"A hole of {rows}: {place}. Band: the {100 * _LEVEL:.0f} % interval of the fill."
        words = f"{name}: a hole of {rows}, {place}, filled, with values on both sides"
        figure = table_drawing.stretch(shown, hole)
        text += f"<h3>{_named(name)}</h3>" + parts.picture(name, figure, caption, words)
    return text
