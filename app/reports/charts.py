"""Charts from data frames, and a sentence for the timeline.

Altair's specification of a chart refers to the rows by name, so that it can be computed once and reused.
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
from app.reports.figures import BANDS

_BLUE, _ORANGE, _GREY, _INK = "#2f75b5", "#c25a10", "#7d8894", "#10181f"
_ROLES = {"staff": _BLUE, "pupil": "#93a4b5", "other": "#c9b458"}


@dataclass(frozen=True)
class _Colours:
    """The colours of the heat map: for rates, from worse to better; for cells with few sessions; of the gaps between
    cells; and around the chosen cell. Orange and blue can be told apart by people who confuse red and green."""

    worse_to_better: list[str]
    few: str
    gap: str
    chosen: str


_LIGHT = _Colours(
    ["#a8480a", "#e8903f", "#f6d7b0", "#c4d9ec", "#4f8cc4", "#1d4f7c"], few="#e3e8ed", gap="#ffffff", chosen="#000000"
)
_DARK = _Colours(
    ["#b8560f", "#8f4f1f", "#5f4a3c", "#34485c", "#2a567f", "#2766a0"], few="#26333f", gap="#101820", chosen="#ffffff"
)


@dataclass(frozen=True)
class Drawing:
    """A Vega-Lite specification, and the frames of rows that it draws, by their names in it."""

    spec: dict[str, Any]
    rows: dict[str, pd.DataFrame]


def _create_spec(chart: alt.TopLevelMixin) -> dict[str, Any]:
    """The chart's specification without its style, which the page or the PDF adds."""
    return {key: value for key, value in chart.to_dict().items() if key != "config"}


def _find_floor(rates: pd.Series, otherwise: float) -> float:
    """Where a scale starts: at the lowest rate (`otherwise` if there is none), rounded down to whole per cent, and at
    most at 0.9."""
    least = rates.min() if rates.notna().any() else otherwise
    return min(math.floor(least * 100) / 100, 0.9)


def draw_heat_map(cells: pd.DataFrame, words: str = "Checks met", *, dark: bool = False) -> Drawing:
    """Compliance by department and hour. `cells` is from `compute_rates(..., ["department", "band"], ...)`; it may have
    a column `text` to show in the cells. `words` is the name of the measure. Clicking a cell selects its `department`
    and `band` in the selection `cell`."""
    text = np.where(cells["rate"].notna(), to_percent(cells["rate"]), "(" + cells["sessions"].astype(str) + ")")
    cells = cells.assign(
        text=cells.get("text", text),
        passed_words=cells["passed"].map("{:,}".format) + " of " + cells["total"].map("{:,}".format),
    )
    return Drawing(_draw_heat_map(_find_floor(cells["rate"], 0.5), words, dark), {"cells": cells})


@cache
def _draw_heat_map(low: float, words: str, dark: bool) -> dict[str, Any]:  # noqa: FBT001 - for the cache
    colours = _DARK if dark else _LIGHT
    scale = alt.Scale(domain=[low, 1], range=colours.worse_to_better, interpolate="rgb")
    chosen = alt.selection_point(name="cell", fields=["department", "band"], on="click", empty=False)
    short = "datum.value === 'before 08' ? '<8' : datum.value === 'from 20' ? '20+' : datum.value"
    hours = alt.Axis(labelAngle=0, orient="top", labelExpr=short, labelOverlap=False)
    base = alt.Chart(alt.NamedData("cells")).encode(
        x=alt.X("band:O", sort=BANDS, title="Hour in which it began", axis=hours),
        y=alt.Y("department:N", title=None, axis=alt.Axis(labelLimit=180)),
        tooltip=[
            alt.Tooltip("department:N", title="Department"),
            alt.Tooltip("band:N", title="Hour"),
            alt.Tooltip("passed_words:N", title=words),
            alt.Tooltip("sessions:Q", title="Sessions"),
        ],
    )
    box = base.mark_rect(cornerRadius=3, cursor="pointer").encode(
        stroke=alt.condition(chosen, alt.value(colours.chosen), alt.value(colours.gap)),
        strokeWidth=alt.condition(chosen, alt.value(4), alt.value(1)),
    )
    legend = alt.Legend(
        title=words, titleOrient="left", format=".0%", gradientLength=140, orient="bottom", direction="horizontal"
    )
    enough = box.transform_filter("isValid(datum.rate)").encode(color=alt.Color("rate:Q", scale=scale, legend=legend))
    few = box.transform_filter("!isValid(datum.rate)").encode(color=alt.value(colours.few))
    share = f"(datum.rate - {low}) / {1 - low}"
    white = "true" if dark else f"isValid(datum.rate) && ({share} < 0.25 || {share} > 0.7)"
    # On a phone there is no room for figures; the colours, the table and the list below show them.
    text = base.mark_text(fontSize=12, text=alt.ExprRef("width < 420 ? '' : datum.text"), cursor="pointer").encode(
        color=alt.condition(white, alt.value("#ffffff"), alt.value("#17212b"))
    )
    return _create_spec((few + enough.add_params(chosen) + text).properties(height=alt.Step(28)))


def to_percent(rates: pd.Series) -> pd.Series:
    """Shares as text for cells: in whole per cent without a sign, never rounded up to 100; "0" for NaN."""
    return (rates.fillna(0) * 100).map(lambda share: "100" if share >= 100 else f"{min(share, 99.4):.0f}")


def draw_clause_bars(figures: pd.DataFrame, words: str = "Checks met") -> Drawing:
    """Compliance by clause, the lowest first. `figures` is from `judge.count_outcomes`, with a column `title`; `words`
    is the name of the measure. Clicking a bar selects its `clause` in the selection `bar`."""
    rows = figures[figures["rate"].notna()].rename_axis("clause").reset_index().sort_values("rate")
    passed = rows["met"] + rows["exempt"]
    total = passed + rows["breach"]
    share = rows["rate"].map(percent).where(total >= FEW, "")
    counts = passed.map("{:,}".format) + " of " + total.map("{:,}".format)
    label = (share + "  " + counts).str.strip()
    return Drawing(_draw_clause_bars(words), {"clauses": rows.assign(share=share, words=label, counts=counts)})


@cache
def _draw_clause_bars(words: str) -> dict[str, Any]:
    chosen = alt.selection_point(name="bar", fields=["clause"], on="click", empty=False)
    base = alt.Chart(alt.NamedData("clauses")).encode(
        y=alt.Y("title:N", sort=None, title=None, axis=alt.Axis(labelLimit=220)),  # in the order of the rows
        x=alt.X("rate:Q", scale=alt.Scale(domain=[0, 1.3]), axis=None),
        tooltip=[
            alt.Tooltip("title:N", title="Clause"),
            alt.Tooltip("counts:N", title=words),
            alt.Tooltip("exempt:Q", title="Of these exempt"),
            alt.Tooltip("no_evidence:Q", title="No evidence"),
        ],
    )
    bars = base.mark_bar(height=14, cornerRadiusEnd=2, cursor="pointer").encode(
        color=alt.condition("datum.rate < 0.95", alt.value(_ORANGE), alt.value(_BLUE))
    )
    text = base.mark_text(align="left", dx=5, fontSize=12, text=alt.ExprRef("width < 420 ? datum.share : datum.words"))
    return _create_spec((bars.add_params(chosen) + text).properties(height=alt.Step(24)))


def draw_what_if_bars(clauses: pd.DataFrame) -> Drawing:
    """How many sessions breach each clause now, and how many would then. `clauses` is that of a `WhatIf`."""
    named = clauses.rename(columns={"was_broken": "now", "would_be_broken": "then"})
    rows = named.melt("title", ["now", "then"], var_name="when", value_name="sessions")
    return Drawing(_draw_what_if_bars(), {"clauses": rows})


@cache
def _draw_what_if_bars() -> dict[str, Any]:
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
    return _create_spec((bars + words).properties(height=alt.Step(22)))


def draw_week_line(weeks: pd.DataFrame, words: str = "Checks met") -> Drawing:
    """Compliance by week. `weeks` is from `compute_rates(..., ["week"], ...)`, where `week` is the Monday; `words` is
    the name of the measure. Clicking a point selects its `monday` in the selection `point`."""
    mondays = tuple(week.date() for week in weeks["week"][:: len(weeks) // 8 + 1])
    rows = weeks.assign(monday=weeks["week"].dt.strftime("%Y-%m-%d"))
    return Drawing(_week_line(_find_floor(weeks["rate"] - 0.01, 0.79), mondays, words), {"weeks": rows})


@lru_cache(50)
def _week_line(low: float, mondays: tuple[date, ...], words: str) -> dict[str, Any]:
    ticks = [alt.DateTime(year=day.year, month=day.month, date=day.day) for day in mondays]
    chosen = alt.selection_point(name="point", fields=["monday"], on="click", empty=False)
    base = alt.Chart(alt.NamedData("weeks")).encode(
        x=alt.X("week:T", title="Week beginning", axis=alt.Axis(format="%d %b", labelAngle=0, values=ticks)),
        y=alt.Y("rate:Q", title=words, scale=alt.Scale(domain=[low, 1], clamp=True), axis=alt.Axis(format=".0%")),
        tooltip=[
            alt.Tooltip("week:T", title="Week of", format="%d %b %Y"),
            alt.Tooltip("rate:Q", title=words, format=".1%"),
            alt.Tooltip("sessions:Q", title="Sessions"),
        ],
    )
    points = base.mark_point(color=_BLUE, filled=True, size=90, cursor="pointer").add_params(chosen)
    return _create_spec((base.mark_line(color=_BLUE, strokeWidth=2) + points).properties(height=220))


def draw_timeline(
    stays: pd.DataFrame, videos: pd.DataFrame, alone: pd.DataFrame, span: tuple[datetime, datetime] | None = None
) -> Drawing:
    """Who was in the call, and when. Each stay is a bar in the colour of the person's role; a thin bar over it shows
    when the camera is known to have been on. Times when pupils were alone are orange over the whole height. `span` is
    where the axis starts and ends, by default with the bars."""
    camera = stays["camera"].fillna(value=False).astype(bool)
    stays = _convert_to_local_time(stays).assign(
        who=_names_with_role(stays),
        video=np.where(camera, "with video", "video not known"),
        mark=np.where(camera & ~_is_further_device(stays), "▶ video", ""),
    )
    order = list(dict.fromkeys(stays.sort_values(["role", "joined_at"], ascending=[False, True])["who"]))
    x = _TimeAxis(span)
    rows, layers = {"stays": stays}, _create_stay_layers(order, set(stays["role"]), x)
    if len(alone):
        words = "✗ no staff, " + alone["seconds"].round().astype(int).astype(str) + " s"
        rows["gaps"] = _convert_to_local_time(alone).assign(words=words)
        gaps = alt.Chart(alt.NamedData("gaps")).mark_rect(color=_ORANGE, opacity=0.45)
        tooltip = alt.Tooltip("words:N", title="Pupils alone")
        layers.insert(0, gaps.encode(x=x.at("from_at"), x2=alt.X2("to_at:T", title="Until"), tooltip=[tooltip]))
    if len(videos):
        rows["filmed"] = _convert_to_local_time(videos).assign(who=_names_with_role(videos))
        filmed = alt.Chart(alt.NamedData("filmed")).mark_bar(height=5, color=_INK, yOffset=7)
        layers.append(
            filmed.encode(y=alt.Y("who:N", sort=order), x=x.at("started_at"), x2=alt.X2("ended_at:T", title="Until"))
        )
    return Drawing(_create_spec(alt.LayerChart(layer=layers).properties(height=alt.Step(30))), rows)


@dataclass(frozen=True)
class _TimeAxis:
    """The time axis of the timeline, for a span of school time or, without one, for the span of the bars."""

    span: tuple[datetime, datetime] | None

    def at(self, column: str) -> alt.X:
        """The encoding of a column of times on this axis. Screen readers announce the axis's title."""
        axis = alt.Axis(format="%H:%M", title="School time")
        if self.span is None:
            return alt.X(f"{column}:T", axis=axis)
        ends = [
            alt.DateTime(year=t.year, month=t.month, date=t.day, hours=t.hour, minutes=t.minute, seconds=t.second)
            for t in self.span
        ]
        return alt.X(f"{column}:T", axis=axis, scale=alt.Scale(domain=ends))


def _convert_to_local_time(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows with their times as local times without a zone: a browser would convert others to its own zone."""
    return rows.assign(**{name: rows[name].dt.tz_localize(None) for name in rows.select_dtypes("datetimetz")})


def _names_with_role(people: pd.DataFrame) -> pd.Series:
    staff = people["role"].map({"staff": " (staff)"}).fillna("")
    return people["name"].fillna("Somebody not on the roster") + staff


def _is_further_device(stays: pd.DataFrame) -> pd.Series:
    """For each stay, whether the person was already in the call with another device when it began."""
    in_order = stays.sort_values("joined_at")
    until = in_order.groupby("name")["left_at"].transform(lambda left: left.cummax().shift())
    return (in_order["joined_at"] < until).reindex(stays.index)


def _create_stay_layers(order: list[str], roles: set[str], x: _TimeAxis) -> list[alt.Chart]:
    """The bars of the stays and their labels. `order` lists the people from top to bottom; `roles` are in the
    legend."""
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
    """A sentence about the times in the timeline when pupils were alone."""
    if alone.empty:
        return "No time on record with pupils and no staff."
    longest = alone.loc[alone["seconds"].idxmax()]
    times = "once," if len(alone) == 1 else f"{len(alone)} times, the longest time"
    minutes, seconds = divmod(round(longest["seconds"]), 60)
    length = f"{minutes} min {seconds} s" if minutes >= 2 else f"{longest['seconds']:.0f} seconds"
    return f"Pupils were in the call without staff {times} from {longest['from_at']:%H:%M:%S} for {length}."
