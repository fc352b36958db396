"""The calls of one session: who was in them when, room by room, and where their recordings are stored."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any
from urllib.parse import urlsplit

import pandas as pd
from sqlalchemy import Connection, Table, and_, case, func, literal, or_, select

from app.access.scope import in_school_time
from app.protocol.evidence import Evidence
from app.protocol.frames import micros
from app.protocol.judge import judge
from app.protocol.rooms import number_rooms
from app.school import School
from app.store import reading, tables
from app.store.versions import valid_on, valid_versions
from app.vocabulary.terms import CallPart, CallSource

Span = tuple[datetime, datetime]

_PARTS = list(CallPart)
_PERSON = ["call_id", "person"]  # who somebody is, within a call


@dataclass(frozen=True)
class SessionCalls:
    """What call records and attendance reports show of a session. Times are in school time; frames are empty where
    nothing is known. `room` is a number from 0, in the order of `rooms`.

    - `rooms`: `room`, `part` (a CallPart), `source` (a CallSource), `began_at`, `ended_at`: the rooms of the session in
      the order in which they began, then those without staff after it, then reports beside a record
    - `stays`: `room`, `name`, `role` ("pupil", "staff", "other"), `joined_at`, `left_at`, `camera` (true: they sent
      video; blank: not known); `videos`: `room`, `name`, `role`, `started_at`, `ended_at` (those with times)
    - `alone`: `room`, `from_at`, `to_at`, `seconds`: pupils without staff
    - `listed`: `name`, `role`: people who took part at unknown times
    - `differences`: `source`, `name`, `from_at`, `to_at`: when pupils were alone by the record and by the report
      beside it, of pupils for whom the two differ by more than the grace
    - `differ`: whether they do so for any pupil
    - `recordings`: `created_at`, `ended_at`, `address` (None: unknown, or not an https address), `expires_at`
    - `no_staff_came`: whether all of it took place in rooms to which no member of staff came
    """

    rooms: pd.DataFrame
    stays: pd.DataFrame
    videos: pd.DataFrame
    alone: pd.DataFrame
    listed: pd.DataFrame
    differences: pd.DataFrame
    recordings: pd.DataFrame
    differ: bool
    no_staff_came: bool

    def withhold(self) -> "SessionCalls":
        """The same without anything that tells who took part, or when."""
        frames = {name: frame[:0] for name, frame in vars(self).items() if isinstance(frame, pd.DataFrame)}
        return SessionCalls(**frames, differ=False, no_staff_came=False)

    @property
    def source(self) -> str:
        """What the calls that decide were read from: "Call record", "Attendance report", or both."""
        read_from = set(self.rooms.loc[self.rooms["part"] != CallPart.REPORT, "source"])
        return " and ".join(each.label for each in CallSource if each in read_from).capitalize()


def read_session_calls(
    school: School, connection: Connection, session: Any, evidence: Evidence, alone: pd.DataFrame
) -> SessionCalls:
    """The calls of a session (a row of `tables.sessions`), from its part of the evidence; `alone`: as judged,
    with `from_at`, `to_at` and `seconds`."""
    grace = timedelta(seconds=school.settings.rules_on(session.day).grace_seconds)
    calls = _read_calls(connection, session.id, grace)
    stays = _read_people(connection, tables.call_stays, calls, session.day)
    listed = _read_people(connection, tables.call_listed, calls, session.day)
    listed = listed[~_are_among(listed, stays)]
    videos = _read_videos(connection, calls, stays)
    differences = _find_differences(school, evidence, calls, stays)
    differ = _differ(differences, grace)
    rooms = calls.groupby("room", as_index=False).agg(
        part=("part", "first"), source=("source", "first"), began_at=("started_at", "min"), ended_at=("ended_at", "max")
    )

    def in_order(frame: pd.DataFrame) -> pd.DataFrame:
        times = list(frame.select_dtypes("datetimetz"))
        return in_school_time(school, frame.sort_values(times, ignore_index=True))

    return SessionCalls(
        rooms=in_school_time(school, rooms),
        stays=in_order(stays[["room", "name", "role", "joined_at", "left_at", "camera"]]),
        videos=in_order(videos),
        alone=in_order(alone.assign(room=_find_rooms(alone, stays))),
        listed=listed[["name", "role"]].drop_duplicates(ignore_index=True),
        differences=in_order(differences if differ else differences[:0]),
        recordings=in_order(_read_recordings(connection, calls)),
        differ=differ,
        no_staff_came=_is_without_staff(calls, pd.concat([stays, listed]), is_logged=session.log_id is not None),
    )


def keep_calls(evidence: Evidence, call_ids: Collection[str]) -> Evidence:
    """The evidence as if there were only these calls."""
    of_calls = {name: getattr(evidence, name) for name in ("calls", "stays", "videos", "listed")}
    return replace(evidence, **{name: rows[rows["call_id"].isin(call_ids)] for name, rows in of_calls.items()})


# --- what is stored --------------------------------------------------------------------------------------------


def _read_calls(connection: Connection, session_id: int, grace: timedelta) -> pd.DataFrame:
    """The calls of a session in the order of their rooms, with `room`, `part` and the facts that others here need."""
    call, of_session = tables.calls.c, tables.session_calls.c
    calls = reading.read_frame(
        connection,
        select(
            call.id.label("call_id"),
            call.source,
            call.type,
            call.started_at,
            call.ended_at,
            call.organiser_id,
            call.organiser_staff_id,
            of_session.part,
        )
        .join(tables.session_calls, of_session.call_id == call.id)
        .where(of_session.session_id == session_id)
        .order_by(call.started_at, of_session.place),
    )
    calls = calls.sort_values("part", key=lambda part: part.map(_PARTS.index), kind="stable", ignore_index=True)
    return calls.assign(room=_number_rooms(calls, grace))


def _number_rooms(calls: pd.DataFrame, grace: timedelta) -> list[int]:
    """The room of each call, in order; calls of another part, or between two people, are never in the same room."""
    kind = pd.factorize(calls["part"] + " " + calls["type"])[0]
    times = {"start": micros(calls["started_at"]), "end": micros(calls["ended_at"])}
    whole = calls[["call_id"]].assign(session=kind, grace=grace // timedelta(microseconds=1), **times)
    return list(pd.factorize(pd.MultiIndex.from_arrays([kind, number_rooms(whole)]))[0])


def _read_people(connection: Connection, table: Table, calls: pd.DataFrame, day: date) -> pd.DataFrame:
    """The people of `call_stays` or `call_listed`: `call_id`, `person`, `name`, `role`, `room` and, of stays,
    `joined_at`, `left_at` and `camera`. For somebody who is not on the roster only the kind of participant is shown, to
    keep their address or telephone number private."""
    who = table.c
    staff, pupil = valid_versions(tables.staff_versions), valid_versions(tables.pupil_versions)
    times = [who.joined_at, who.left_at] if table is tables.call_stays else []
    unknown = "Not on the roster (" + who.kind + ")" if times else literal("Not on the roster")
    role = case((who.staff_id.is_not(None), "staff"), (who.pupil_id.is_not(None), "pupil"), else_="other")
    query = (
        select(
            who.call_id,
            who.person,
            role.label("role"),
            *times,
            func.coalesce(staff.c.name, unknown).label("name"),
            pupil.c.name.label("pupil"),
        )
        .outerjoin(staff, and_(staff.c.staff_id == who.staff_id, valid_on(staff, day)))
        .outerjoin(pupil, and_(pupil.c.pupil_id == who.pupil_id, valid_on(pupil, day)))
        .where(who.call_id.in_(calls["call_id"].tolist()))
    )
    people = reading.read_frame(connection, query)
    pupils = people.pop("pupil")
    people["name"] = people["name"].where(people["role"] != "pupil", pupils)
    people = people.sort_values(["role", "name"], kind="stable", ignore_index=True)
    return people.assign(room=people["call_id"].map(calls.set_index("call_id")["room"]), camera=pd.NA)


def _read_videos(connection: Connection, calls: pd.DataFrame, stays: pd.DataFrame) -> pd.DataFrame:
    """Camera video with times, as `videos` of SessionCalls; `camera` of the `stays` is set to who sent any."""
    video = tables.call_videos.c
    query = select(video.call_id, video.person, video.started_at, video.ended_at)
    videos = reading.read_frame(connection, query.where(video.call_id.in_(calls["call_id"].tolist())))
    sent = _are_among(stays, videos)
    stays["camera"] = sent.astype("boolean").where(sent, pd.NA)
    named = videos.merge(stays[[*_PERSON, "room", "name", "role"]].drop_duplicates(_PERSON), on=_PERSON)
    timed = named[named["started_at"].notna() & named["ended_at"].notna()]
    return timed[["room", "name", "role", "started_at", "ended_at"]]


def _are_among(people: pd.DataFrame, others: pd.DataFrame) -> pd.Series:
    """Whether each person in a call is among others there."""
    among = pd.MultiIndex.from_frame(people[_PERSON]).isin(pd.MultiIndex.from_frame(others[_PERSON]))
    return pd.Series(among, index=people.index)


def _read_recordings(connection: Connection, calls: pd.DataFrame) -> pd.DataFrame:
    """The recordings of some calls: those that name one, or have its organiser and began during it."""
    recording, call = tables.recordings.c, tables.calls.c
    by_organiser = and_(
        recording.call_id.is_(None),
        recording.organiser_id == call.organiser_id,
        recording.created_at.between(call.started_at, call.ended_at),
    )
    found = reading.read_frame(
        connection,
        select(recording.id, recording.created_at, recording.ended_at, recording.content_url, recording.expires_at)
        .join(tables.calls, or_(recording.call_id == call.id, by_organiser))
        .where(call.id.in_(calls["call_id"].tolist())),
    ).drop_duplicates("id")
    return found.assign(address=found["content_url"].map(_check_address)).drop(columns=["id", "content_url"])


def _check_address(address: str | None) -> str | None:
    """An address if a browser can open it safely: over https, at a host, without a name or password."""
    try:
        parts = urlsplit(address or "")
    except ValueError:
        return None
    return address if parts.scheme == "https" and parts.hostname and "@" not in parts.netloc else None


# --- what it shows -----------------------------------------------------------------------------------------------


def _find_rooms(alone: pd.DataFrame, stays: pd.DataFrame) -> list[int]:
    """The room of each stretch of pupils alone: the first in which a pupil was, and no staff."""
    rooms = []
    for stretch in alone.itertuples():
        during = stays[(stays["joined_at"] < stretch.to_at) & (stays["left_at"] > stretch.from_at)]
        staffed = during.loc[during["role"] == "staff", "room"]
        unstaffed = during.loc[(during["role"] == "pupil") & ~during["room"].isin(staffed), "room"]
        rooms.append(int(unstaffed.min()) if len(unstaffed) else 0)
    return rooms


def _is_without_staff(calls: pd.DataFrame, people: pd.DataFrame, *, is_logged: bool) -> bool:
    """Whether all calls are meetings of roster staff in which only pupils took part. An outsider in one that was logged
    may have been the member of staff."""
    are_rooms = calls["organiser_staff_id"].notna() & (calls["type"] == "groupCall")
    may_be_staff = ["staff", "other"] if is_logged else ["staff"]
    in_session = people["call_id"].isin(calls.loc[calls["part"] == CallPart.SESSION, "call_id"])
    return len(calls) > 0 and bool(are_rooms.all()) and not people.loc[in_session, "role"].isin(may_be_staff).any()


def _find_differences(school: School, evidence: Evidence, calls: pd.DataFrame, stays: pd.DataFrame) -> pd.DataFrame:
    """When each pupil was alone by the call record and by the attendance report beside it: `source`, `name`, `from_at`,
    `to_at`. Empty without a report."""
    rows: list[dict[str, Any]] = []
    if (calls["part"] == CallPart.REPORT).any():
        for part in (CallPart.SESSION, CallPart.REPORT):
            of_part = calls[calls["part"] == part]
            judged = judge(keep_calls(evidence, of_part["call_id"]), school.settings, school.now())
            pupils = stays[stays["call_id"].isin(of_part["call_id"]) & (stays["role"] == "pupil")]
            for name, own in pupils.groupby("name"):
                spans = [
                    (max(stay.joined_at, stretch.from_at), min(stay.left_at, stretch.to_at))
                    for stay in own.itertuples()
                    for stretch in judged.alone.itertuples()
                ]
                source = of_part["source"].iloc[0]
                rows += [{"source": source, "name": name, "from_at": a, "to_at": b} for a, b in _merge(spans)]
    return pd.DataFrame(rows, columns=["source", "name", "from_at", "to_at"])


def _merge(spans: Sequence[Span]) -> list[Span]:
    """The spans that end after they begin, those that touch as one, in order."""
    merged: list[Span] = []
    for begin, end in sorted(span for span in spans if span[0] < span[1]):
        if merged and begin <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((begin, end))
    return merged


def _differ(alone: pd.DataFrame, grace: timedelta) -> bool:
    """Whether for some pupil, for longer than the grace at a stretch, one source shows them alone and the other not."""
    for _, own in alone.groupby("name"):
        since: datetime | None = None
        moments = sorted({*own["from_at"], *own["to_at"]})
        for begin, end in pairwise(moments):
            covering = own.loc[(own["from_at"] <= begin) & (own["to_at"] >= end), "source"].nunique()
            since = (since or begin) if covering == 1 else None
            if since and end - since > grace:
                return True
    return False
