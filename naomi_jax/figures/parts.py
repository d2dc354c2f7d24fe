"""What every page is made of: the HTML around it, its sections, figures, tables and its foot.

Arguments that are called text are escaped here; those that are called HTML must have been.
"""

import html
import importlib.resources
import json
import shlex
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import jax

from naomi_jax.atomic import atomic_write
from naomi_jax.figures import style
from naomi_jax.version import __version__

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_STYLESHEET = importlib.resources.files("naomi_jax.figures") / "page.css"


def write(path: str, title: str, sections: Sequence[str]) -> None:
    """A page in a file.

    Args:
      path: .html.
      title: text.
      sections: HTML.

    Raises:
      InputError: it cannot be written.
    """
    # Names of files may hold bytes that are no UTF-8; a browser shows a mark in their place.
    with atomic_write(path, encoding="utf-8", errors="xmlcharrefreplace") as file:
        file.write(document(title, sections))


def document(title: str, sections: Sequence[str]) -> str:
    """The HTML around the sections."""
    stylesheet = _STYLESHEET.read_text(encoding="utf-8")
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{html.escape(title)}</title><style>\n{stylesheet}</style>{''.join(sections)}</html>\n"
    )


def section(title: str, content: str) -> str:
    """A heading (text), and HTML below it."""
    return f"<h2>{html.escape(title)}</h2>{content}"


def figure(title: str, drawn: "Figure", caption: str) -> str:
    """A section that is a picture."""
    return section(title, picture(title, drawn, caption))


def picture(title: str, drawn: "Figure", caption: str, text: str = "") -> str:
    """A picture, with links to download it.

    Args:
      title: text; the name of the downloaded files.
      drawn: the figure.
      caption: text below it.
      text: says what it shows to those who do not see it; the title where it is left out.
    """
    png, svg = style.inline(drawn)
    return image(png, title, caption, {"svg": svg}, text)


def image(
    source: str,
    title: str,
    caption: str,
    others: Mapping[str, str] | None = None,
    text: str = "",
) -> str:
    """A picture, and links to the same in other formats, by ending.

    Args:
      source: its URI.
      title, caption, text: as in `picture`.
      others: a URI for each ending.
    """
    links = "".join(
        f' <a download="{html.escape(title)}.{ending}" href="{uri}">{ending.upper()}</a>'
        for ending, uri in (others or {}).items()
    )
    return (
        f'<figure><img src="{source}" alt="{html.escape(text or title)}">'
        f"<figcaption>{html.escape(caption)}{links}</figcaption></figure>"
    )


def table(head: Sequence[str], rows: Sequence[Sequence[str]], kind: str = "wide") -> str:
    """A table that can be scrolled sideways.

    Args:
      head: HTML of its first row.
      rows: HTML of the cells.
      kind: classes of the stylesheet.
    """
    lines = ["<tr>" + "".join(f"<th>{cell}</th>" for cell in head) + "</tr>"]
    lines += ["<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows]
    return f'<div class="{kind}"><table>{"".join(lines)}</table></div>'


def faint(text: str) -> str:
    """A remark, in small letters."""
    return f'<p class="faint">{html.escape(text)}</p>'


def foot(records: Mapping[str, Any], command: Sequence[str], note: str = "") -> str:
    """How the page was made.

    Args:
      records: what is kept of each run; JSON.
      command: that makes the page, as it was given.
      note: more about versions; text.
    """
    content = f"<pre>{html.escape(shlex.join(command))}</pre>"
    for folder, record in records.items():
        text = html.escape(json.dumps(record, indent=1, ensure_ascii=False))
        content += f"<details><summary>{html.escape(folder)}</summary><pre>{text}</pre></details>"
    versions = f"naomi_jax {__version__}, JAX {jax.__version__}{note}"
    return section("Settings", content + faint(versions))
