"""Charts from frames, and a sentence that says what each of them shows.

Altair's specification of a chart is computed once and reused: it refers to the rows by name.
"""

import math
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache, lru_cache
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from app.formatting import FEW, percent
from app.protocol.clauses import CLAUSES
from app.protocol.frames import Ints

# Orange to blue, which people who cannot tell red from green can tell apart.
_WORSE_TO_BETTER = ["#a8480a", "#e8903f", "#f6d7b0", "#c4d9ec", "#4f8cc4", "#1d4f7c"]
_BLUE, _ORANGE, _GREY, _INK = "#2f75b5", "#c25a10", "#7d8894", "#10181f"
_ROLES = {"staff": _BLUE, "pupil": "#93a4b5", "other": "#c9b458"}
_BANDS = ["before 08", *(f"{hour:02}" for hour in range(8, 20)), "from 20"]
_BAND = pd.CategoricalDtype(_BANDS)


@dataclass(frozen=True)
class Drawing:
    """A Vega-Lite specification, and the rows that it draws, by the names it uses for them."""

    spec: dict[str, Any]
    rows: dict[str, pd.DataFrame]


def _spec(chart: alt.TopLevelMixin) -> dict[str, Any]:
    """The chart's specification without its style, which the page and the PDF add."""
    return {key: value for key, value in chart.to_dict().items() if key != "config"}


def _floor(rates: pd.Series, otherwise: float) -> float:
    """The start of a scale: the lowest rate, rounded down to whole per cent, at most 0.9."""
    least = rates.min() if rates.notna().any() else otherwise
    return min(math.floor(least * 100) / 100, 0.9)


def add_band_and_week(sessions: pd.DataFrame) -> pd.DataFrame:
    """Sessions (a frame of `access.overview`) with `band`, the column of the heat map in which each begins,
    and `week`, its Monday."""
    bands = (sessions["minute"] // 60 - 7).clip(0, len(_BANDS) - 1)
    mondays = sessions["day"] - pd.to_timedelta(sessions["day"].dt.day_of_week, unit="D")
    return sessions.assign(band=pd.Categorical.from_codes(bands, dtype=_BAND), week=mondays)


def count_kept(sessions: pd.DataFrame, clause: str | None) -> dict[str, Ints]:
    """The numbers of outcomes of each session, for one clause or all: `kept`, `of` (with evidence), `known` (any)."""
    kept, of, known = np.zeros((3, len(sessions)), np.int64)
    for name in [clause] if clause else CLAUSES:
        codes = sessions[name].cat.codes.to_numpy()
        kept += codes <= 1
        of += codes <= 2
        known += codes <= 3
    return {"kept": kept, "of": of, "known": known}


def compute_rates(sessions: pd.DataFrame, by: list[str], clause: str | None) -> pd.DataFrame:
    """Compliance of sessions (a frame of `access.overview`) for each group of some of its columns: `kept`,
    `of` (outcomes with evidence), `sessions` (that have one), `rate` (blank for fewer than three)."""
    counts = count_kept(sessions, clause)
    counted = sessions[by].assign(kept=counts["kept"], of=counts["of"], sessions=counts["of"] > 0)
    groups = counted.groupby(by, observed=True, as_index=False)[["kept", "of", "sessions"]].sum()
    groups = groups[groups["of"] > 0].reset_index(drop=True)
    groups["rate"] = (groups["kept"] / groups["of"]).where(groups["sessions"] >= FEW)
    return groups


def draw_heat_map(cells: pd.DataFrame) -> Drawing:
    """Compliance by department and hour; `cells` from `compute_rates(..., ["department", "band"], ...)`, perhaps with
    a `text` to show in each. A click on a cell selects `department` and `band` under the name `cell`."""
    text = np.where(cells["rate"].notna(), to_percent(cells["rate"]), "(" + cells["sessions"].astype(str) + ")")
    cells = cells.assign(
        text=cells.get("text", text),
        kept_words=cells["kept"].map("{:,}".format) + " of " + cells["of"].map("{:,}".format),
    )
    return Drawing(_heat_map(_floor(cells["rate"], 0.5)), {"cells": cells})


@cache
def _heat_map(low: float) -> dict[str, Any]:
    scale = alt.Scale(domain=[low, 1], range=_WORSE_TO_BETTER, interpolate="rgb")
    chosen = alt.selection_point(name="cell", fields=["department", "band"], on="click", empty=False)
    short = "datum.value === 'before 08' ? '<8' : datum.value === 'from 20' ? '20+' : datum.value"
    hours = alt.Axis(labelAngle=0, orient="top", labelExpr=short, labelOverlap=False)
    base = alt.Chart(alt.NamedData("cells")).encode(
        x=alt.X("band:O", sort=_BANDS, title="Hour in which it began", axis=hours),
        y=alt.Y("department:N", title=None, axis=alt.Axis(labelLimit=180)),
        tooltip=[
            alt.Tooltip("department:N", title="Department"),
            alt.Tooltip("band:N", title="Hour"),
            alt.Tooltip("kept_words:N", title="Checks met"),
            alt.Tooltip("sessions:Q", title="Sessions"),
        ],
    )
    box = base.mark_rect(cornerRadius=3).encode(
        stroke=alt.condition(chosen, alt.value("#000000"), alt.value("#ffffff")),
        strokeWidth=alt.condition(chosen, alt.value(4), alt.value(1)),
    )
    dark = f"isValid(datum.rate) && (datum.rate < {low + (1 - low) * 0.25} || datum.rate > {low + (1 - low) * 0.7})"
    legend = alt.Legend(title="Checks met", format=".0%", gradientLength=140, orient="bottom", direction="horizontal")
    enough = box.transform_filter("isValid(datum.rate)").encode(color=alt.Color("rate:Q", scale=scale, legend=legend))
    few = box.transform_filter("!isValid(datum.rate)").encode(color=alt.value("#b8c2cc"))
    # On a telephone there is no room for figures: the colours, the table and the list below show them.
    text = base.mark_text(fontSize=12, text=alt.ExprRef("width < 420 ? '' : datum.text")).encode(
        color=alt.condition(dark, alt.value("white"), alt.value("#17212b"))
    )
    return _spec((few + enough.add_params(chosen) + text).properties(height=alt.Step(32)))


def to_percent(rates: pd.Series) -> pd.Series:
    """Shares as text for a cell: whole per cent, never rounded up to 100; "0" for a blank."""
    return (rates.fillna(0) * 100).map(lambda share: "100" if share >= 100 else f"{min(share, 99.4):.0f}")


def describe_heat_map(cells: pd.DataFrame, what: str) -> str:
    """What the heat map shows: where compliance is lowest."""
    known = cells[cells["rate"].notna() & (cells["sessions"] >= 5)]
    if known.empty:
        return "There are too few sessions in any one hour and department to compare."
    worst = known.sort_values(["rate", "of"], ascending=[True, False]).iloc[0]
    if worst["rate"] == 1:
        return f"{what}: met in every department and hour with at least five sessions."
    hour = {"before 08": "before 08:00", "from 20": "from 20:00"}.get(worst["band"], f"from {worst['band']}:00")
    return (
        f"{what}: lowest for {worst['department']} {hour}, {percent(worst['rate'])} "
        f"({worst['kept']:,} of {worst['of']:,} checks in {worst['sessions']:,} sessions)."
    )


def draw_clause_bars(figures: pd.DataFrame) -> Drawing:
    """Compliance clause by clause, the lowest first; `figures` as from `app.protocol.judge.figures`, with `title`."""
    rows = figures[figures["rate"].notna()].reset_index().sort_values("rate")
    kept = rows["met"] + rows["exempt"]
    of = kept + rows["breach"]
    share = rows["rate"].map(percent).where(of >= FEW, "")
    words = share + "  " + kept.map("{:,}".format) + " of " + of.map("{:,}".format)
    return Drawing(_clause_bars(), {"clauses": rows.assign(share=share, words=words.str.strip())})


@cache
def _clause_bars() -> dict[str, Any]:
    base = alt.Chart(alt.NamedData("clauses")).encode(
        y=alt.Y("title:N", sort=None, title=None, axis=alt.Axis(labelLimit=220)),  # in the order of the rows
        x=alt.X("rate:Q", scale=alt.Scale(domain=[0, 1.3]), axis=None),
    )
    bars = base.mark_bar(height=14, cornerRadiusEnd=2).encode(
        color=alt.condition("datum.rate < 0.95", alt.value(_ORANGE), alt.value(_BLUE)),
        tooltip=["title:N", "met:Q", "exempt:Q", "breach:Q", "no_evidence:Q"],
    )
    words = base.mark_text(align="left", dx=5, fontSize=12, text=alt.ExprRef("width < 420 ? datum.share : datum.words"))
    return _spec((bars + words).properties(height=alt.Step(24)))


def draw_what_if_bars(clauses: pd.DataFrame) -> Drawing:
    """How many sessions breach each clause now, and would then; `clauses` as in `WhatIf`."""
    named = clauses.rename(columns={"was_broken": "now", "would_be_broken": "then"})
    rows = named.melt("title", ["now", "then"], var_name="when", value_name="sessions")
    return Drawing(_what_if_bars(), {"clauses": rows})


@cache
def _what_if_bars() -> dict[str, Any]:
    base = alt.Chart(alt.NamedData("clauses")).encode(
        y=alt.Y("title:N", sort=None, title=None, axis=alt.Axis(labelLimit=220)),
        yOffset=alt.YOffset("when:N", sort=["now", "then"]),
        x=alt.X("sessions:Q", title="Sessions with a breach", axis=alt.Axis(tickMinStep=1)),
        tooltip=["title:N", "when:N", "sessions:Q"],
    )
    bars = base.mark_bar(cornerRadiusEnd=2).encode(
        color=alt.Color(
            "when:N",
            scale=alt.Scale(domain=["now", "then"], range=[_GREY, _BLUE]),
            legend=alt.Legend(title=None, orient="top"),
        )
    )
    words = base.mark_text(align="left", dx=4, fontSize=12).encode(text=alt.Text("sessions:Q", format=","))
    return _spec((bars + words).properties(height=alt.Step(22)))


def draw_week_line(weeks: pd.DataFrame) -> Drawing:
    """Compliance week by week; `weeks` from `compute_rates(..., ["week"], ...)`, the week's Monday."""
    mondays = tuple(week.date() for week in weeks["week"][:: len(weeks) // 8 + 1])
    return Drawing(_week_line(_floor(weeks["rate"] - 0.01, 0.79), mondays), {"weeks": weeks})


@lru_cache(50)
def _week_line(low: float, mondays: tuple[date, ...]) -> dict[str, Any]:
    ticks = [alt.DateTime(year=day.year, month=day.month, date=day.day) for day in mondays]
    base = alt.Chart(alt.NamedData("weeks")).encode(
        x=alt.X("week:T", title="Week beginning", axis=alt.Axis(format="%d %b", labelAngle=0, values=ticks)),
        y=alt.Y(
            "rate:Q", title="Checks met", scale=alt.Scale(domain=[low, 1], clamp=True), axis=alt.Axis(format=".0%")
        ),
        tooltip=[
            alt.Tooltip("week:T", title="Week of", format="%d %b %Y"),
            alt.Tooltip("rate:Q", title="Checks met", format=".1%"),
            alt.Tooltip("sessions:Q", title="Sessions"),
        ],
    )
    line = base.mark_line(color=_BLUE, strokeWidth=2) + base.mark_point(color=_BLUE, filled=True, size=45)
    return _spec(line.properties(height=220))


def describe_weeks(weeks: pd.DataFrame) -> str:
    """What the weeks show: the second half compared with the first."""
    known = weeks[weeks["rate"].notna()]
    if len(known) < 4:
        return "There are too few weeks to see a trend."
    early, late = known.iloc[: len(known) // 2], known.iloc[len(known) // 2 :]
    before, after = (float(half["kept"].sum() / half["of"].sum()) for half in (early, late))
    lowest = known.loc[known["rate"].idxmin()]
    least = f"The lowest week began on {lowest['week'].day} {lowest['week']:%b}, {percent(lowest['rate'])}."
    word = "Steady" if abs(after - before) < 0.005 else "Better" if after > before else "Worse"
    return f"{word}: {percent(after)} in the later weeks, {percent(before)} in the earlier. {least}"


def draw_timeline(
    stays: pd.DataFrame, videos: pd.DataFrame, alone: pd.DataFrame, span: tuple[datetime, datetime] | None = None
) -> Drawing:
    """Who was in the call when: a bar for each stay, blue for staff and grey for others, with a thin bar over it while
    a camera is known to have been on; orange over the whole height marks times when pupils were alone. `span`: from
    when to when the axis goes, by default as far as the bars."""
    camera = stays["camera"].fillna(value=False).astype(bool)
    stays = _in_local_time(stays).assign(
        who=_names_with_role(stays),
        video=np.where(camera, "with video", "video not known"),
        mark=np.where(camera & ~_is_further_device(stays), "▶ video", ""),
    )
    order = list(dict.fromkeys(stays.sort_values(["role", "joined_at"], ascending=[False, True])["who"]))
    x = _TimeAxis(span)
    rows, layers = {"stays": stays}, _stay_layers(order, set(stays["role"]), x)
    if len(alone):
        words = "✗ no staff, " + alone["seconds"].round().astype(int).astype(str) + " s"
        rows["gaps"] = _in_local_time(alone).assign(words=words)
        gaps = alt.Chart(alt.NamedData("gaps")).mark_rect(color=_ORANGE, opacity=0.45)
        tooltip = alt.Tooltip("words:N", title="Pupils alone")
        layers.insert(0, gaps.encode(x=x.at("from_at"), x2=alt.X2("to_at:T", title="Until"), tooltip=[tooltip]))
    if len(videos):
        rows["filmed"] = _in_local_time(videos).assign(who=_names_with_role(videos))
        filmed = alt.Chart(alt.NamedData("filmed")).mark_bar(height=5, color=_INK, yOffset=7)
        layers.append(
            filmed.encode(y=alt.Y("who:N", sort=order), x=x.at("started_at"), x2=alt.X2("ended_at:T", title="Until"))
        )
    return Drawing(_spec(alt.LayerChart(layer=layers).properties(height=alt.Step(30))), rows)


@dataclass(frozen=True)
class _TimeAxis:
    """The axis of the timeline, over a span of school time or, without one, as far as the bars."""

    span: tuple[datetime, datetime] | None

    def at(self, column: str) -> alt.X:
        """The times of a column on it. Screen readers announce the axis's title."""
        axis = alt.Axis(format="%H:%M", title="School time")
        if self.span is None:
            return alt.X(f"{column}:T", axis=axis)
        ends = [
            alt.DateTime(year=t.year, month=t.month, date=t.day, hours=t.hour, minutes=t.minute, seconds=t.second)
            for t in self.span
        ]
        return alt.X(f"{column}:T", axis=axis, scale=alt.Scale(domain=ends))


def _in_local_time(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows with their times without a zone: a browser would show them in its own."""
    return rows.assign(**{name: rows[name].dt.tz_localize(None) for name in rows.select_dtypes("datetimetz")})


def _names_with_role(people: pd.DataFrame) -> pd.Series:
    staff = people["role"].map({"staff": " (staff)"}).fillna("")
    return people["name"].fillna("Somebody not on the roster") + staff


def _is_further_device(stays: pd.DataFrame) -> pd.Series:
    """Whether somebody was there already when a stay of theirs began."""
    in_order = stays.sort_values("joined_at")
    until = in_order.groupby("name")["left_at"].transform(lambda left: left.cummax().shift())
    return (in_order["joined_at"] < until).reindex(stays.index)


def _stay_layers(order: list[str], roles: set[str], x: _TimeAxis) -> list[alt.Chart]:
    """The bars of the stays and their marks; `order`: the people from top to bottom; `roles`: those in the legend."""
    base = alt.Chart(alt.NamedData("stays")).encode(
        y=alt.Y("who:N", sort=order, title=None, axis=alt.Axis(labelLimit=220)), x=x.at("joined_at")
    )
    colours = {role: colour for role, colour in _ROLES.items() if role in roles}
    scale = alt.Scale(domain=list(colours), range=list(colours.values()))
    bars = base.mark_bar(height=18, cornerRadius=2).encode(
        x2=alt.X2("left_at:T", title="Until"),
        color=alt.Color("role:N", scale=scale, legend=alt.Legend(title=None, orient="top")),
        tooltip=[
            alt.Tooltip("who:N", title="Who"),
            alt.Tooltip("joined_at:T", title="Joined", format="%H:%M:%S"),
            alt.Tooltip("left_at:T", title="Left", format="%H:%M:%S"),
            alt.Tooltip("video:N", title="Camera"),
        ],
    )
    return [bars, base.mark_text(align="left", dx=6, fontSize=11, color=_INK).encode(text="mark:N")]


def describe_timeline(alone: pd.DataFrame) -> str:
    """What the timeline shows of pupils alone."""
    if alone.empty:
        return "No time on record with pupils and no staff."
    longest = alone.loc[alone["seconds"].idxmax()]
    times = "once," if len(alone) == 1 else f"{len(alone)} times, the longest time"
    minutes, seconds = divmod(round(longest["seconds"]), 60)
    length = f"{minutes} min {seconds} s" if minutes >= 2 else f"{longest['seconds']:.0f} seconds"
    return f"Pupils were in the call without staff {times} from {longest['from_at']:%H:%M:%S} for {length}."
