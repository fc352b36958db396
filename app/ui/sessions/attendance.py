"""Who was in the calls of a session and when, room by room, and where its recordings are stored."""

from datetime import datetime
from urllib.parse import urlsplit

import pandas as pd
import streamlit as st

from app.access.session_calls import SessionCalls
from app.access.session_detail import SessionView
from app.formatting import on_day
from app.reports import charts
from app.ui.lists import table_expander
from app.ui.text import note, write_html
from app.ui.widgets import draw
from app.vocabulary.terms import CallPart, CallSource

_FROM_REPORT = "From the attendance report; there is no call record. A report shows no cameras."
_VIDEO = "“▶ video”: the camera sent video at some time; Teams seldom reports for how long. No mark: not known."


def show_attendance(view: SessionView) -> None:
    """Show a timeline for each room, people whose times are not known, and how an attendance report differs."""
    st.header("Attendance timeline")
    calls = view.calls
    if view.withheld:
        st.info("Counselling is confidential: only the counsellor sees who took part.")
        return
    if calls.rooms.empty:
        st.info("There is no call record for this session. It was judged by its log.")
        return
    if calls.no_staff_came:
        st.warning("**No staff attended.** The organiser was not in the call.", icon=":material/person_off:")
    is_report = calls.source == CallSource.ATTENDANCE.label.capitalize()
    if is_report:
        note(_FROM_REPORT)
    _show_differences(calls)
    names = _name_rooms(calls)
    for room in calls.rooms.itertuples():
        if room.part != CallPart.REPORT or calls.differ:
            _show_room(calls, int(room.room), names[int(room.room)])
    if len(calls.listed):
        write_html("<b>Took part, times not known:</b> {names}.", names=", ".join(_add_roles(calls.listed)))
    if not is_report:
        note(_VIDEO)
    _show_table(calls, names)


def _name_rooms(calls: SessionCalls) -> list[str]:
    """What each room is called on the page; "" if there is only one."""
    if len(calls.rooms) == 1:
        return [""]
    in_session = int((calls.rooms["part"] == CallPart.SESSION).sum())
    own = "By the call record" if calls.differ else "The session"
    names = {
        CallPart.SESSION: own if in_session == 1 else "Room {}",
        CallPart.AFTER: "After the session, without staff",
        CallPart.REPORT: "By the attendance report",
    }
    return [names[CallPart(room.part)].format(room.room + 1) for room in calls.rooms.itertuples()]


def _show_room(calls: SessionCalls, room: int, name: str) -> None:
    """Show who was in a room when, and when pupils were there without staff."""
    stays, videos, alone = (rows[rows["room"] == room] for rows in (calls.stays, calls.videos, calls.alone))
    span = calls.rooms.iloc[room]
    if name:
        st.subheader(f"{name} · {span['began_at']:%H:%M} to {span['ended_at']:%H:%M}", anchor=False)
    if stays.empty:
        return
    if (stays["role"] == "staff").any():
        write_html("{sentence}", sentence=charts.describe_timeline(alone))
    else:
        known = "identified in" if (stays["role"] == "other").any() else "in"
        words = "No member of staff was {known} this room: {names}, {began:%H:%M:%S} to {ended:%H:%M:%S}."
        people = ", ".join(stays["name"].drop_duplicates())
        write_html(words, known=known, names=people, began=stays["joined_at"].min(), ended=stays["left_at"].max())
    draw(
        charts.draw_timeline(stays, videos, alone, _find_span(calls, span["part"])),
        f"Timeline of who was in {name or 'the call'} when; the same times are in the table below.",
        key=f"timeline {room}",
    )


def _find_span(calls: SessionCalls, part: str) -> tuple[datetime, datetime]:
    """The common start and end of the timelines of a session's rooms. Rooms after the session share their own."""
    is_after = calls.rooms["part"] == CallPart.AFTER
    rooms = calls.rooms[is_after if part == CallPart.AFTER else ~is_after]
    stays = calls.stays[calls.stays["room"].isin(rooms["room"])]
    return stays["joined_at"].min(), stays["left_at"].max()


def _show_differences(calls: SessionCalls) -> None:
    """Show where the call record and the attendance report differ on when pupils were without staff."""
    if not (calls.rooms["part"] == CallPart.REPORT).any():
        return
    if not calls.differ:
        note("There is also an attendance report. On pupils without staff it agrees with the call record.")
        return
    st.warning(
        "**The call record and the attendance report differ** on when pupils were without staff. "
        "The call record decides.",
        icon=":material/compare_arrows:",
    )
    record, report = (_list_alone(calls.differences[calls.differences["source"] == source]) for source in CallSource)
    write_html("<b>Call record:</b> {record}.<br><b>Attendance report:</b> {report}.", record=record, report=report)


def _list_alone(alone: pd.DataFrame) -> str:
    """Who was without staff and when, such as "without staff were Aled, Una from 10:42:10 to 10:56:00"."""
    spans = alone.groupby(["from_at", "to_at"])["name"].agg(", ".join)
    words = [f"{names} without staff from {begin:%H:%M:%S} to {end:%H:%M:%S}" for (begin, end), names in spans.items()]
    return "; ".join(words) if words else "no pupil was without staff"


def _show_table(calls: SessionCalls, names: list[str]) -> None:
    stays = calls.stays
    rows = pd.DataFrame(
        {
            "Room": stays["room"].map(names.__getitem__),
            "Who": stays["name"].fillna("Somebody not on the roster"),
            "Role": stays["role"],
            "Joined": stays["joined_at"].dt.strftime("%H:%M:%S"),
            "Left": stays["left_at"].dt.strftime("%H:%M:%S"),
            "Camera": stays["camera"].map({True: "sent video"}).fillna("not known"),
        }
    )
    shown = rows if len(names) > 1 else rows.drop(columns="Room")
    table_expander(shown, "who was in the call", "Who was in the call when")


def _add_roles(people: pd.DataFrame) -> list[str]:
    return [f"{row.name} (staff)" if row.role == "staff" else row.name for row in people.itertuples(index=False)]


def show_recordings(recordings: pd.DataFrame, now: datetime) -> None:
    """Show where the recordings of a session are stored, and until when."""
    if recordings.empty:
        return
    st.header("Recording" if len(recordings) == 1 else "Recordings")
    for number, row in enumerate(recordings.itertuples()):
        until = "Stored until: not known."
        if not pd.isna(row.expires_at):
            day = on_day(row.expires_at)
            until = f"Stored until {day}." if row.expires_at > now else f"Was stored until {day}."
        ended = "" if pd.isna(row.ended_at) else f" to {row.ended_at:%H:%M}"
        write_html("Recorded {began:%H:%M}{ended}. <b>{until}</b>", began=row.created_at, ended=ended, until=until)
        if row.address:
            place = '<span style="overflow-wrap:anywhere">{address}</span>'
            write_html("Where it is stored: " + place, address=row.address)
            # Microsoft Graph gives a recording only to a program with its own token.
            if not (urlsplit(row.address).hostname or "").startswith("graph."):
                st.link_button(
                    "Open the recording", row.address, icon=":material/open_in_new:", key=f"recording {number}"
                )
        else:
            note("Where it is stored: not known.")
