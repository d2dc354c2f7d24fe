"""Dates and times: from text and numbers to stamps, and back for rows that are added."""

import dataclasses
import datetime
import re

import numpy as np

from naomi_jax.errors import InputError
from naomi_jax.tables.place import Place
from naomi_jax.tables.printable import quoted
from naomi_jax.tables.stamps import counted

_DATE = re.compile(
    r"(?:(?P<year>\d{4})(?P<mark>[-/.])(?P<month>\d{1,2})(?:(?P=mark)(?P<day>\d{1,2}))?"
    r"|(?P<first>\d{1,2})(?P<mark2>[-/.])(?P<second>\d{1,2})(?P=mark2)(?P<last>\d{4}|\d{2}))"
    r"(?:(?:[T ]|, ?) *(?P<hour>\d{1,2}):(?P<minute>\d{2})"
    r"(?::(?P<second_>\d{2})(?:[.,](?P<part>\d{1,9}))?)? *(?P<half>[AaPp]\.?[Mm]\.?)?)?"
    r" *(?P<zone>Z|UTC|GMT|[+-]\d{2}(?::?\d{2})?)?"
)  # fmt: skip
_MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split()
_NAMED_MONTH = re.compile(
    r"(?P<day>\d{1,2})[- .]+(?P<month>[A-Za-z]{3,9})[- .,]+(?P<year>\d{4}|\d{2})(?P<rest>\D.*)?"
    r"|(?P<month2>[A-Za-z]{3,9})[- .]+(?:(?P<day2>\d{1,2}),? +)?(?P<year2>\d{4})(?P<rest2>\D.*)?"
)
_WEEKDAY = re.compile(r"(mon|tue|wed|thu|fri|sat|sun)[a-z]*\.?,? +", re.I)
_CLOCK = re.compile(r"\d{1,2}:\d{2}(:\d{2}([.,]\d+)?)?( *[AaPp]\.?[Mm]\.?)?")
# Words in the name of a column of time.
_WORDS = {"time", "timestamp", "date", "datetime", "epoch", "ts", "unixtime", "unix", "utc"}
# Names of a column of numbers that increase, such as seconds from the start.
_ELAPSED = re.compile(r"(time|t|ts|timestamp|epoch|elapsed|seconds?|year)\b\W*\w{0,7}\W*", re.I)
# Seconds from 1973 to 2106, as seconds, milli-, micro- and nanoseconds.
_EPOCH = ((1, 1e8), (10**3, 1e11), (10**6, 1e14), (10**9, 1e17))
_EPOCH_SPAN = 43
_COMPACT = {8: "%Y%m%d", 12: "%Y%m%d%H%M", 14: "%Y%m%d%H%M%S"}  # 20201231, 202012311300, ...


@dataclasses.dataclass(frozen=True)
class Times:
    """The times of the rows.

    Attributes:
      stamps: (T,) datetime64 (see stamps.py) or float64.
      words: how they were read, for a note; may be empty.
      unit: ticks a second, of stamps read from numbers; 0 for those read from text.
      day_leads: whether the day stands before the month.
      ahead: (T,) timedelta64[ns], as in `Table`; None where stamps carry no zone.
    """

    stamps: np.ndarray
    words: str = ""
    unit: int = 0
    day_leads: bool = True
    ahead: np.ndarray | None = None


def is_date(cell: str) -> bool:
    """Whether a cell is a date, perhaps with a time of day."""
    return bool(_DATE.fullmatch(cell)) or _month_by_number(cell) != cell


def is_clock(cell: str) -> bool:
    """Whether a cell is a time of day alone."""
    return bool(_CLOCK.fullmatch(cell))


def is_time_name(name: str) -> bool:
    """Whether a column's name says that it holds times."""
    words = re.split(r"[^a-z]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).lower())
    return bool(_WORDS & set(words))


def _month_by_number(cell):
    """Thu 31-Dec-2020 13:00 as 2020-12-31 13:00; other text as it is."""
    lead = _WEEKDAY.match(cell)
    found = _NAMED_MONTH.fullmatch(cell[lead.end() :] if lead else cell)
    if not found:
        return cell
    parts = found.groupdict()
    month = (parts["month"] or parts["month2"])[:3].lower()
    if month not in _MONTHS:
        return cell
    year = _full_year(parts["year"] or parts["year2"])
    day, rest = parts["day"] or parts["day2"] or "1", parts["rest"] or parts["rest2"] or ""
    new = f"{year}-{_MONTHS.index(month) + 1:02}-{int(day):02}{rest}"
    return new if _DATE.fullmatch(new) else cell


def _full_year(year):
    return year if len(year) == 4 else f"{'19' if int(year) >= 70 else '20'}{year}"


def parse(text: np.ndarray, dayfirst: bool | None, place: Place, name: str) -> Times:
    """Stamps of a column of dates.

    Args:
      text: (T,) strings; None where the cell is a hole.
      dayfirst: as in `Options`.
      place, name: of the column, for messages.

    Raises:
      InputError: a row has no date or one that does not exist; the order of day and month is not
        told by any date; some stamps carry a zone and others do not.
    """
    import pandas as pd

    stamps = _plain(text)
    if stamps is not None:
        return Times(_counted(stamps, place, name))
    found = []
    for row, cell in enumerate(text):
        match = None if cell is None else _DATE.fullmatch(_month_by_number(cell.strip()))
        if match is None:
            raise InputError(_no_time(cell, place(row, name)))
        found.append(match)
    _check_zones(found, place, name)
    day_leads, words = _order(found, dayfirst, place, name)
    iso = [_iso(match, day_leads) for match in found]
    zoned = bool(found[0]["zone"])
    late = np.array([match["hour"] == "24" for match in found])  # 24:00 is 0:00 of the next day
    stamps = pd.to_datetime(iso, format="ISO8601", utc=zoned, errors="coerce")
    stamps = (stamps.tz_convert(None) if zoned else stamps).to_numpy()
    if np.isnat(stamps).any():
        stamps = _one_by_one(iso, text, place, name)
    stamps = _counted(stamps, place, name)
    stamps = np.where(late, stamps + np.timedelta64(1, "D"), stamps)
    words = "; ".join(filter(None, [words, "in UTC" if zoned else ""]))
    ahead = np.array([_ahead(match["zone"]) for match in found]) if zoned else None
    return Times(stamps, words, day_leads=day_leads, ahead=ahead)


def _plain(text):
    """The usual form, without zones, at pandas' speed; None where a cell has another."""
    import pandas as pd

    first = text[0] and _DATE.fullmatch(text[0])
    if not first or not first["year"] or first["zone"] or any(cell is None for cell in text):
        return None
    try:
        stamps = pd.to_datetime(text, format="ISO8601")
    except (ValueError, TypeError):
        return None
    return stamps if isinstance(stamps, pd.DatetimeIndex) and stamps.tz is None else None


def _no_time(cell, where):
    if cell is None or not cell.strip():
        return f"{where}: no time in this row; remove the row or write its time"
    cell = " ".join(cell.split())[:60]
    return f"{where}: {quoted(cell)} is no date like 2020-12-31 13:00"


def _check_zones(found, place, name):
    zoned = [bool(match["zone"]) for match in found]
    if any(zoned) and not all(zoned):
        row = zoned.index(not zoned[0])
        raise InputError(
            f"{place(row, name)}: {found[row].group()!r} has {'a' if zoned[row] else 'no'} zone, "
            "other rows are otherwise; write all with a zone, such as +01:00, or none"
        )


def _order(found, dayfirst, place, name):
    """Whether the day stands before the month, and a note on it."""
    short = [(row, m) for row, m in enumerate(found) if m["first"]]
    if not short:
        return True, ""
    if dayfirst is None and all(m["mark2"] == "." for _, m in short):
        dayfirst = True  # 31.12.2020: no country writes the month first with full stops
    days = next((row for row, m in short if int(m["first"]) > 12), None)
    months = next((row for row, m in short if int(m["second"]) > 12), None)
    wrong = months if dayfirst else days
    if (days is not None and months is not None) or (dayfirst is not None and wrong is not None):
        rows = (days, months) if dayfirst is None else (wrong,)
        row = max(row for row in rows if row is not None)
        raise InputError(
            f"{place(row, name)}: {found[row].group()!r} does not fit the order of day and month "
            "of the other rows; write all dates as 2020-12-31"
        )
    if dayfirst is None and days is None and months is None:
        row, match = short[0]
        raise InputError(
            f"{place(row, name)}: {match.group()!r} may begin with the day or the month; say "
            "which: --dayfirst yes or --dayfirst no"
        )
    lead = days is not None if dayfirst is None else dayfirst
    return lead, "day first" if lead else "month first"


def _iso(match, day_leads):
    part = match.groupdict()
    if part["year"]:
        year, month, day = part["year"], part["month"], part["day"] or "1"
    else:
        year = _full_year(part["last"])
        day, month = part["first"], part["second"]
        if not day_leads:
            day, month = month, day
    text = f"{year}-{month:0>2}-{day:0>2}"
    if part["hour"] is None:
        return text + _offset(part["zone"])
    hour = int(part["hour"])
    if part["half"]:
        hour = hour % 12 + (12 if part["half"][0] in "pP" else 0)
    text += f"T{hour % 24 if hour == 24 else hour:02}:{part['minute']}:{part['second_'] or '00'}"
    return text + (f".{part['part']}" if part["part"] else "") + _offset(part["zone"])


def _offset(zone):
    return "" if zone is None else "+00:00" if zone in ("Z", "UTC", "GMT") else zone


def _ahead(zone):
    """+02:00, +0200 or +02 as a length of time."""
    digits = _offset(zone).replace(":", "")
    minutes = 60 * int(digits[1:3]) + int(digits[3:5] or 0)
    return np.timedelta64(-minutes if digits[0] == "-" else minutes, "m").astype("timedelta64[ns]")


def _one_by_one(iso, text, place, name):
    """Stamps that pandas cannot read together: some of its versions know 1678 to 2262 alone."""
    found = np.empty(len(iso), "datetime64[us]")
    for row, form in enumerate(iso):
        try:
            stamp = datetime.datetime.fromisoformat(form)
            found[row] = (
                stamp.astimezone(datetime.UTC).replace(tzinfo=None) if stamp.tzinfo else stamp
            )
        except (ValueError, OverflowError):
            raise InputError(
                f"{place(row, name)}: {quoted(text[row])} is no date from 0001 to 9999"
            ) from None
    return found


def _counted(stamps, place, name):
    try:
        return counted(np.asarray(stamps))
    except ValueError as error:
        raise InputError(f"{place(None, name)}: {error}") from None


def from_numbers(
    numbers: np.ndarray, name: str, named: bool = False, index: bool = False
) -> Times | None:
    """Times of a column of numbers, or None where it holds something else.

    Args:
      numbers: (T,) without holes, of any type.
      name: of the column.
      named: the user says that it is the time column; else its name must say so.
      index: it is the first column and has no name, so it may be times that increase.
    """
    increasing = len(numbers) > 1 and bool((numbers[1:] > numbers[:-1]).all())
    if named or (index and increasing) or is_time_name(name):
        times = _compact(numbers) or _epoch(numbers)
        if times:
            return times
    elapsed = _ELAPSED.fullmatch(name) or (index and not _whole(numbers))
    if named or (elapsed and increasing):
        return Times(numbers.astype(np.float64), "numbers")
    return None


def _compact(numbers):
    """20201231 as a date."""
    import pandas as pd

    if not _whole(numbers) or abs(numbers).max() >= 10**15:
        return None
    digits = numbers.astype(np.int64)
    form = _COMPACT.get(len(str(digits[0])))
    if form is None or str(digits[0])[:2] not in ("19", "20"):
        return None
    stamps = pd.to_datetime(digits.astype(str), format=form, errors="coerce")
    return None if stamps.isna().any() else Times(counted(stamps.to_numpy()), "dates")


def _epoch(numbers):
    for unit, first in _EPOCH:
        if first <= numbers.min() and numbers.max() <= first * _EPOCH_SPAN:
            whole = np.floor(numbers).astype(np.int64)
            part = np.round((numbers - whole) * 1e6).astype(np.int64) * 1000
            tick = 10**9 // unit
            nanoseconds = whole * tick + part // unit
            word = {1: "seconds", 10**3: "milliseconds", 10**6: "microseconds"}
            words = f"{word.get(unit, 'nanoseconds')} since 1970"
            return Times(nanoseconds.view("datetime64[ns]"), words, unit)
    return None


def _whole(numbers):
    return numbers.dtype.kind in "iu" or bool((numbers == np.floor(numbers)).all())


def check_once(
    stamps: np.ndarray, groups: np.ndarray | None, place: Place, name: str, text: bool
) -> None:
    """Refuse a stamp that stands in two rows of a series.

    Raises:
      InputError: it names the stamp and both lines.
    """
    import pandas as pd

    frame = pd.DataFrame({"time": stamps})
    if groups is not None:
        frame["group"] = groups
    doubled = frame.duplicated().to_numpy()
    if not doubled.any():
        return
    second = int(np.argmax(doubled))
    same = stamps == stamps[second]
    if groups is not None:
        same &= groups == groups[second]
    first = int(np.argmax(same))
    stamp = pd.Timestamp(stamps[second]) if stamps.dtype.kind == "M" else f"{stamps[second]:g}"
    raise InputError(
        f"{place(first, name)}: {stamp} stands again in {place.word} {place.line(second)} "
        f"({np.count_nonzero(doubled)} doubled in all); keep one row of each"
        + ("; an hour doubled by summer time needs its zone, such as +01:00" if text else "")
        + ("" if groups is not None else "; several series under one another: --group COLUMN")
    )


def render(example: str, stamp: np.datetime64, times: Times) -> str:
    """A stamp in the form of another cell of its column.

    Args:
      example: a cell of the column, of the longest form.
      stamp: what to write, in UTC where the column carries zones.
      times: of the column.
    """
    import pandas as pd

    time = pd.Timestamp(stamp)
    match = _DATE.fullmatch(example)
    if match is None:
        if times.unit:
            return str(time.value // (10**9 // times.unit))
        form = _COMPACT.get(len(example)) if example.isdigit() else None
        return time.strftime(form) if form else time.isoformat(sep=" ")
    zone = match["zone"]
    if zone and _offset(zone) != "+00:00":
        hours, minutes = zone[1:3], zone[3:].strip(":") or "0"
        shift = np.timedelta64(int(hours) * 60 + int(minutes), "m")
        time = pd.Timestamp(stamp + (shift if zone[0] == "+" else -shift))
    hour = time.hour % 12 or 12 if match["half"] else time.hour
    lead, follow = (time.day, time.month) if times.day_leads else (time.month, time.day)
    fraction = f"{time.microsecond * 1000 + time.nanosecond:09}"
    new = {
        "year": time.year, "month": time.month, "day": time.day,
        "first": lead, "second": follow, "last": time.year % 10 ** len(match["last"] or "0000"),
        "hour": hour, "minute": time.minute, "second_": time.second,
        "part": fraction[: len(match["part"] or "")], "half": "AM" if time.hour < 12 else "PM",
    }  # fmt: skip
    for key in sorted(new, key=lambda k: -match.start(k)):  # from the end: places before stay
        if match[key] is not None:
            begin, end = match.span(key)
            example = example[:begin] + f"{new[key]:0>{end - begin}}" + example[end:]
    return example
