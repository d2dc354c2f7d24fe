"""The page about a table with holes: its numbers are the run's, its holes those of the file."""

import contextlib
import html
import re

import numpy as np
import pandas as pd
import pytest

from naomi_jax.errors import InputError
from naomi_jax.evaluation import report
from naomi_jax.figures import style, table_drawing, table_page
from naomi_jax.figures.table_drawing import Hole, View
from naomi_jax.jobs import impute, wording
from tests.commands import naomi_jax

EVIL = "<script>alert(1)</script>"
ROWS = 200


def station():
    """Two sensors, one column without a value, and names that are no names."""
    t, rng = np.arange(ROWS), np.random.default_rng(1)
    frame = pd.DataFrame(
        {EVIL: (np.sin(t / 4) + 0.05 * rng.normal(size=ROWS)).round(3), "b $x_1$": (t % 7) * 1.5}
    )
    frame.iloc[20:29, 0] = np.nan
    frame.iloc[190:, 0] = np.nan
    frame.iloc[60:62, 1] = np.nan
    frame.insert(0, "<b>time", pd.date_range("2024-01-01", periods=ROWS, freq="h"))
    return frame.assign(**{"温度 & empty": np.nan})


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with a table, the run on it and its page."""
    folder = tmp_path_factory.mktemp("station")
    station().to_csv(folder / "sta&tion.csv", index=False)
    with contextlib.chdir(folder):
        naomi_jax("fill", "sta&tion.csv", "f.csv", "--workdir", "run")
        said = naomi_jax("page", "run", "page.html", "--data", "sta&tion.csv")
    (folder / "said.txt").write_text(said)
    return folder


@pytest.fixture
def here(folder, monkeypatch):
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def page(folder):
    return (folder / "page.html").read_text()


# The page.


def test_the_heading_is_about_the_file(page, folder):
    assert "<h1>Filling sta&amp;tion.csv</h1>" in page
    assert "200 rows; 3 columns; 221 of 600 entries missing (36.8 %)" in page
    assert "&lt;b&gt;time: 2024-01-01 00:00 to 2024-01-09 07:00" in page
    assert "Another table" not in page
    assert "page.html: a page about sta&tion.csv" in (folder / "said.txt").read_text()


def test_what_the_user_wrote_is_text(page, folder):
    assert "<script" not in page and "<b>" not in page
    assert page.count(html.escape(EVIL)) >= 4
    assert str(folder) not in page, "no private path"


def test_nothing_is_fetched(page):
    assert "http" not in page and "@import" not in page
    assert set(re.findall(r'(?:src|href)="(.{5})', page)) == {"data:"}
    assert "prefers-color-scheme: dark" in page and "width=device-width" in page


def test_the_report_has_the_numbers_of_the_run(page, folder):
    imputer, _ = impute.load(str(folder / "run"))
    reached = imputer.report_
    for name in (EVIL, "b $x_1$"):
        found = re.search(f"<td><bdi>{re.escape(html.escape(name))}</bdi></td>(.*?)</tr>", page)
        cells = re.findall(r"<td>(.*?)</td>", found[1])
        assert cells[0] == str(reached.held_out[name])
        kinds = [*imputer._report.candidates, "fill"]
        errors = reached.loc[name, kinds].astype(float).to_numpy()
        shown = [re.sub("<.*?>", "", cell).partition(" (")[0] for cell in cells[1:-1]]
        shown = [float(error) if error != "-" else np.nan for error in shown]
        np.testing.assert_allclose(shown, errors, rtol=5e-3)
        assert "<strong>" in cells[1 + int(np.nanargmin(errors))]
        assert "<strong>" not in cells[1 + int(np.nanargmax(errors))]
    for sentence in wording.sentences(imputer):
        assert html.escape(sentence) in page
    assert "so they stay empty: 温度 &amp; empty." in page


def test_the_holes_are_told_in_words(page):
    (text,) = re.findall(r'alt="(Map of the holes[^"]*)"', page)
    assert f"{html.escape(EVIL)}: 9.5 % missing, longest hole 10 rows" in text
    assert "b $x_1$: 1.0 % missing, longest hole 2 rows" in text
    assert (
        "<td>9.5 %</td><td>2</td><td>10 rows</td><td>2024-01-08 22:00 - 2024-01-09 07:00</td>"
        in page
    )
    assert "<td>100.0 %</td><td>1</td><td>200 rows</td>" in page


def test_stretches_have_values_on_both_sides(page):
    assert f"<h3><bdi>{html.escape(EVIL)}</bdi></h3>" in page
    assert "A hole of 9 rows: 2024-01-01 20:00 - 2024-01-02 04:00. Band: the 90 % int" in page
    assert "A hole of 2 rows: 2024-01-03 12:00 - 2024-01-03 13:00." in page
    assert page.count("<h3>") == 2 and page.count("data:image/png") == 3


def test_the_foot_says_how_it_was_made(page):
    foot = page.partition("<h2>Settings</h2>")[2]
    assert "the run was fitted with naomi_jax" in foot and "&quot;sha256&quot;" in foot


# The command.


def test_another_table_is_called_so(here):
    frame = station()
    frame["b $x_1$"] += 1
    frame.to_csv("other.csv", index=False)
    naomi_jax("page", "run", "other.html", "--data", "other.csv")
    text = (here / "other.html").read_text()
    assert "Another table</strong> than the one that the run was fitted on, which is sta&amp;t" in (
        text
    )


def test_a_table_that_was_read_with_flags_is_known_again(here):
    """With rows that were absent: --freq is said again by the run, not by the user."""
    station().drop(index=range(100, 110)).to_csv("absent.csv", index=False, sep=";")
    naomi_jax("fill", "absent.csv", "g.csv", "--freq=h", "--workdir=run2")
    naomi_jax("page", "run2", "absent.html", "--data", "absent.csv")
    text = (here / "absent.html").read_text()
    assert "Another table" not in text and "200 rows;" in text


@pytest.mark.parametrize(
    "words,message",
    [
        (["run", "x.html"], "run was fitted on sta&tion.csv; name that table, or"),
        (["run", "--data", "x.csv"], "are required: OUT.html"),
        (["run", "run", "x.html", "--data", "x.csv"], "so name one folder"),
        (["run", "no/x.html", "--data", "x.csv"], "no/x.html: there is no f"),
        (["run", "sta&tion.csv", "--data", "sta&tion.csv"], "the table itself; name"),
        (["run", "x.html", "--data", "nowhere.csv"], "nowhere.csv: no such file"),
        (["run", "x.html", "--data", "small.csv"], "small.csv: no column of numbers"),
        (["run", "x.html", "--data", "x.csv", "--flag"], "--flag: there is no such flag"),
        (["run", "x.html", "--data", "sta&tion.csv", "--time=q"], "--time q: no such"),
        (["runs/no", "x.html", "--data", "x.csv"], "runs/no: not the folder of a run"),
    ],
)
def test_a_wrong_command_is_one_line(here, words, message):
    (here / "small.csv").write_text("<b>time,c\n2024-01-01,1\n2024-01-02,2\n")
    with pytest.raises(InputError, match=message) as caught:
        naomi_jax("page", *words)
    assert "\n" not in str(caught.value)
    assert not (here / "x.html").exists()


def test_a_run_on_a_data_set_takes_no_table(monkeypatch):
    monkeypatch.setattr(report, "by_task", lambda folders: (folders, []))
    for word in ("--data=x.csv", "--missing=3"):
        with pytest.raises(InputError, match="--data .*for runs on tables with .* leave these fla"):
            naomi_jax("page", "runs/traffic", "x.html", word)


def test_without_matplotlib_it_is_one_line(here, monkeypatch):
    def missing():
        raise InputError("figures need matplotlib: pip install 'naomi_jax[plot]'")

    monkeypatch.setattr(style, "require_matplotlib", missing)
    with pytest.raises(InputError, match="figures need matplotlib"):
        naomi_jax("page", "run", "x.html", "--data", "sta&tion.csv")


# What is drawn.


def view_of(values, first=None, times=None, names=None):
    values = np.asarray(values, float).reshape(len(values), -1)
    filled = np.where(np.isnan(values), 0, values)
    starts = np.zeros(len(values), bool)
    starts[[0, *(first or [])]] = True
    series = np.cumsum(starts).astype(str) if first else None
    names = names or [f"c{n}" for n in range(values.shape[1])]
    return View(names, values, filled, filled - 1, filled + 1, starts, series, times, "time")


def test_a_hole_ends_with_its_series():
    shown = view_of([1, np.nan, np.nan, np.nan, 2, np.nan], first=[3])
    assert table_drawing.holes(shown, 0) == [Hole(0, 1, 2), Hole(0, 3, 1), Hole(0, 5, 1)]
    assert [shown.part(row) for row in (0, 2, 3, 5)] == [(0, 3), (0, 3), (3, 6), (3, 6)]
    assert not table_drawing.examples(shown), "no hole with values on both sides"


def test_the_longest_hole_that_can_be_seen_is_drawn():
    values = np.ones((900, 6))
    for column in range(5):
        values[10 : 12 + column, column] = np.nan
    values[100:301, 4] = np.nan  # too long
    values[400:600, 3] = np.nan
    found = table_drawing.examples(view_of(values))
    assert found == [Hole(1, 10, 3), Hole(2, 10, 4), Hole(3, 400, 200), Hole(4, 10, 6)]
    assert table_drawing.context(view_of(values), found[2]) == (300, 700)
    assert table_drawing.context(view_of(values), found[0]) == (0, 25)


def test_bins_hold_shares_of_all_rows():
    missing = np.random.default_rng(0).random((1234, 2)) < [0.1, 0.9]
    shares = table_drawing.shares(view_of(np.where(missing, np.nan, 1.0)))
    assert shares.shape == (500, 2)
    sizes = np.bincount(np.arange(1234) * 500 // 1234)
    np.testing.assert_allclose((shares * sizes[:, None]).sum(0), missing.sum(0))
    few = table_drawing.shares(view_of(np.where(missing[:7], np.nan, 1.0)))
    np.testing.assert_array_equal(few, missing[:7])


def test_the_map_shows_the_columns_with_the_most_holes():
    values = np.ones((30, 70))
    values[:5, 5:] = np.nan
    columns = table_drawing.mapped(view_of(values))
    np.testing.assert_array_equal(columns, np.arange(5, 65))


def labels_of(axis):
    return [tick.get_text() for tick in axis.get_xticklabels()]


@pytest.mark.parametrize(
    "times,label",
    [
        (np.datetime64("2024-03-01", "ns") + np.arange(60) * np.timedelta64(1, "D"), "2024"),
        (np.arange(60) / 10, "time"),
        (np.zeros(60), "row"),
        (None, "row"),
    ],
)
def test_time_is_on_the_axis(times, label):
    values = np.ones((60, 1))
    values[20:25] = np.nan
    shown = view_of(values, times=times)
    axis = table_drawing.hole_map(shown).axes[0]
    assert label in axis.get_xlabel()
    if times is not None and len(set(times)) > 1:
        texts = labels_of(axis)
        assert len(texts) >= 3
        if label == "2024":
            assert axis.get_xticks()[texts.index("Apr")] == 31
    (hole,) = table_drawing.examples(shown)
    figure = table_drawing.stretch(shown, hole)
    png, _ = style.inline(figure)
    assert png.startswith("data:image/png")


def test_stamps_are_as_exact_as_they_need_to_be():
    def told(start, step):
        times = np.datetime64(start, "ns") + np.arange(3) * np.timedelta64(*step)
        return table_drawing.moments(view_of(np.ones(3), times=times), [0, 1])

    assert told("2024-03-01", (1, "D")) == ["2024-03-01", "2024-03-02"]
    assert told("2024-03-01", (15, "m")) == ["2024-03-01 00:00", "2024-03-01 00:15"]
    assert told("2024-03-01", (250, "ms"))[1] == "2024-03-01 00:00:00.250"
    assert table_drawing.moments(view_of(np.ones(4), first=[2]), [1, 2]) == ["row 2", "row 1"]


def test_names_that_the_font_lacks_are_numbers():
    shown = view_of(np.ones((3, 3)), names=["温度", "a $b", "a sensor with a long name 17"])
    labels = [table_drawing.label(shown, n) for n in range(3)]
    assert labels == ["column 1", "a $b", "a sensor w...ong name 17"]


def test_shares_are_not_rounded_to_nothing_or_all():
    assert table_page._share(1, 10**6) == "less than 0.1 %"
    assert table_page._share(10**6 - 1, 10**6) == "more than 99.9 %"
    assert [table_page._share(n, 4) for n in (0, 1, 4)] == ["0.0 %", "25.0 %", "100.0 %"]


def test_many_series_and_no_holes():
    values = np.random.default_rng(0).normal(size=(4, 30, 2))
    whole = view_of(values.reshape(120, 2), first=[30, 60, 90])
    assert table_page._holes("x", whole) == "<p>Nothing is missing.</p>"
    assert "no hole" in table_page._stretches(whole)
    values[1, 5:9, 0] = np.nan
    some = view_of(values.reshape(120, 2), first=[30, 60, 90])
    assert "120 rows; 4 series; 2 columns" in table_page._head("x", some, "")
    assert "<td>series 2, row 6 - row 9</td>" in table_page._holes("x", some)
