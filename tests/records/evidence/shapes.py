"""What comes in from outside, in its own shapes, with invented people: tables as text, Graph's JSON."""

import csv
import io
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from app.records.people.roster import Roster
from app.records.tables.tabular import Table, read_table
from app.settings import load_settings

SETTINGS = load_settings()
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
ROSTER = Roster(
    staff={"mair.howell@school.example": 1, "huw.vaughan@school.example": 2},
    pupils={"aled.pugh@pupils.example": 11, "bethan.rees@pupils.example": 12},
    staff_entra={},
    pupil_entra={},
)
LOG = {
    "staff_email": "mair.howell@school.example",
    "pupil_emails": "aled.pugh@pupils.example",
    "purpose": "academic",
    "started_at": "2026-11-03T14:05",
    "ended_at": "2026-11-03T14:35",
}

TENANT = "11111111-aaaa-4000-8000-000000000001"
MAIR = {"id": "aaaaaaaa-0000-4000-8000-000000000001", "displayName": "Mair Howell", "tenantId": TENANT}
ALED = {"id": "bbbbbbbb-0000-4000-8000-000000000002", "displayName": "Aled Pugh", "tenantId": TENANT}
SERVICE = {"@odata.type": "#microsoft.graph.callRecords.serviceEndpoint", "userAgent": {"role": "mediaController"}}


def table(*rows: Mapping[str, str], columns: Sequence[str] = ()) -> Table:
    """Rows as a table read from a CSV file; the columns are the first row's unless given."""
    out = io.StringIO()
    writer = csv.DictWriter(out, columns or list(rows[0]), restval="")
    writer.writeheader()
    writer.writerows(rows)
    return read_table(("table.csv", out.getvalue().encode()))


def at(clock: str) -> str:
    """A time of 3 November 2026 as Graph writes it, with seven decimals."""
    return f"2026-11-03T{clock}.1234567Z"


def utc(clock: str, microsecond: int = 123456) -> datetime:
    return datetime.fromisoformat(f"2026-11-03T{clock}").replace(microsecond=microsecond, tzinfo=UTC)


def person(identity: Any) -> dict[str, Any]:
    return {"@odata.type": "#microsoft.graph.callRecords.participantEndpoint", "associatedIdentity": identity}


def video(direction: str, **more: Any) -> dict[str, Any]:
    """The media of a camera, with one stream."""
    return {"label": "main-video", "streams": [{"streamId": "1", "streamDirection": direction, **more}]}


def session(caller: Any, callee: Any = SERVICE, *media: Any, **more: Any) -> dict[str, Any]:
    times = {"startDateTime": at("14:05:00"), "endDateTime": at("14:35:00")}
    segment = {"id": "segment", **times, "media": list(media)}
    return {"id": "session", **times, "isTest": False, "caller": caller, "callee": callee, "segments": [segment]} | more


def record(*sessions: Any, **more: Any) -> dict[str, Any]:
    """A group call of Mair's."""
    return {
        "id": "cccccccc-0000-4000-8000-000000000003",
        "version": 1,
        "type": "groupCall",
        "modalities": ["audio", "screenSharing"],
        "lastModifiedDateTime": at("15:00:00"),
        "startDateTime": at("14:05:00"),
        "endDateTime": at("14:35:00"),
        "joinWebUrl": "https://teams.microsoft.com/l/meetup-join/19%3ameeting_TWFpcg%40thread.v2/0?context=%7b%7d",
        "organizer_v2": {"id": MAIR["id"], "identity": {"user": MAIR}},
        "participants_v2": [{"id": one["id"], "identity": {"user": one}} for one in (MAIR, ALED)],
        "sessions": list(sessions),
        "sessions@odata.nextLink": None,
    } | more
