"""The evidence by which sessions are judged, as data frames."""

from dataclasses import dataclass, field, fields

import pandas as pd

from app.log_questions import QUESTIONS

INSTANT = "datetime64[us, UTC]"
DAY = "datetime64[s]"

_ANSWERS = {q.name: "boolean" if q.is_yes_no else "object" for q in QUESTIONS if q.is_judged}

COLUMNS: dict[str, dict[str, str]] = {
    "logs": {
        "log_id": "Int64",
        "staff_id": "Int64",
        "started_at": INSTANT,
        "ended_at": INSTANT,
        "ref": "object",
        "purpose": "object",
        "unconfirmed": "boolean",
    }
    | _ANSWERS,
    "log_pupils": {"log_id": "Int64", "pupil_id": "Int64"},
    "log_invited": {"log_id": "Int64", "staff_id": "Int64"},
    "calls": {
        "call_id": "object",
        "source": "object",
        "type": "object",
        "started_at": INSTANT,
        "ended_at": INSTANT,
        "organiser_id": "object",
        "organiser_tenant": "object",
        "organiser_staff_id": "Int64",
        "channel": "boolean",
        "join_key": "object",
    },
    "stays": {
        "call_id": "object",
        "person": "object",
        "kind": "object",
        "tenant": "object",
        "staff_id": "Int64",
        "pupil_id": "Int64",
        "caller": "boolean",
        "joined_at": INSTANT,
        "left_at": INSTANT,
        "has_media": "boolean",
    },
    "videos": {"call_id": "object", "person": "object", "started_at": INSTANT, "ended_at": INSTANT},
    "listed": {"call_id": "object", "person": "object", "tenant": "object", "staff_id": "Int64", "pupil_id": "Int64"},
    "calendar_events": {
        "event_id": "Int64",
        "event_key": "object",
        "join_key": "object",
        "starts_at": INSTANT,
        "ends_at": INSTANT,
        "changed_at": INSTANT,
    },
    "calendar_invited": {"event_id": "Int64", "staff_id": "Int64"},
    "recordings": {"call_id": "object", "organiser_id": "object", "created_at": INSTANT},
    "staff": {
        "staff_id": "Int64",
        "from_day": DAY,
        "name": "object",
        "school": "object",
        "senior": "boolean",
        "department": "object",
        "roles": "object",
        "year_groups": "object",
        "houses": "object",
    },
    "pupils": {
        "pupil_id": "Int64",
        "from_day": DAY,
        "name": "object",
        "school": "object",
        "year_group": "object",
        "house": "object",
    },
    "letters": {"pupil_id": "Int64", "kind": "object", "sent_on": DAY},
    "consents": {
        "pupil_id": "Int64",
        "kind": "object",
        "covers_from": INSTANT,
        "covers_to": INSTANT,
        "reason": "object",
        "obtained_at": INSTANT,
        "withdrawn_at": INSTANT,
        "slt_informed_at": INSTANT,
    },
    "remote_pupils": {"pupil_id": "Int64", "from_day": DAY, "to_day": DAY},
    "concerns": {"log_id": "Int64", "call_id": "object", "home_alone": "boolean", "alerted": "boolean"},
}


_EMPTY = {
    name: pd.DataFrame({column: pd.Series(dtype=dtype) for column, dtype in columns.items()})
    for name, columns in COLUMNS.items()
}


def empty(name: str) -> pd.DataFrame:
    """An empty frame with the columns and types that `COLUMNS` gives for the name."""
    return _EMPTY[name].copy(deep=False)


@dataclass
class Evidence:
    """Everything on record for some sessions. Each field is a frame with the columns in `COLUMNS`.

    Instants are in UTC; days are midnights without a time zone; yes/no columns are true, false or blank; ids are
    integers, but those of calls are text. Lists within a cell (`roles`, `year_groups`, `houses`) are separated by ";".

    - `logs`: one row per log (`unconfirmed`: from a file, and its author has not confirmed it)
    - `log_pupils`, `log_invited`: one row per person (`staff_id` is blank if they are not on the roster)
    - `calls`: one row per call (`source`: a CallSource; `join_key`: equal for calls with the same join link)
    - `stays`: one row for each time a person was in a call, which ends after it begins (`caller`: whether at the
      calling end; `has_media`: whether anything is known about their camera)
    - `videos`: camera video that a person sent, which ends after it begins (both times are blank if it is not known for
      how long it was sent)
    - `listed`: people who took part at unknown times
    - `recordings`: if `call_id` is blank, organiser and time identify the call
    - `calendar_events`: one row for each version of a meeting in a calendar (`event_key`: equal for all versions of a
      meeting; `changed_at`: when the version was written); `calendar_invited`: the staff whom it invites
    - `staff`, `pupils`: one row for each version, valid from `from_day`; the first is also valid before
    - `letters`: one row per letter; `consents`: one row for each time a consent was given (`withdrawn_at` is blank
      while it is valid)
    - `remote_pupils`: one row for each period in which a single pupil learns from home
    - `concerns`: one row for each concern and linked log or call
    """

    logs: pd.DataFrame = field(default_factory=lambda: empty("logs"))
    log_pupils: pd.DataFrame = field(default_factory=lambda: empty("log_pupils"))
    log_invited: pd.DataFrame = field(default_factory=lambda: empty("log_invited"))
    calls: pd.DataFrame = field(default_factory=lambda: empty("calls"))
    stays: pd.DataFrame = field(default_factory=lambda: empty("stays"))
    videos: pd.DataFrame = field(default_factory=lambda: empty("videos"))
    listed: pd.DataFrame = field(default_factory=lambda: empty("listed"))
    calendar_events: pd.DataFrame = field(default_factory=lambda: empty("calendar_events"))
    calendar_invited: pd.DataFrame = field(default_factory=lambda: empty("calendar_invited"))
    recordings: pd.DataFrame = field(default_factory=lambda: empty("recordings"))
    staff: pd.DataFrame = field(default_factory=lambda: empty("staff"))
    pupils: pd.DataFrame = field(default_factory=lambda: empty("pupils"))
    letters: pd.DataFrame = field(default_factory=lambda: empty("letters"))
    consents: pd.DataFrame = field(default_factory=lambda: empty("consents"))
    remote_pupils: pd.DataFrame = field(default_factory=lambda: empty("remote_pupils"))
    concerns: pd.DataFrame = field(default_factory=lambda: empty("concerns"))

    def __post_init__(self) -> None:
        """Raise ValueError for missing columns here, where the traceback still shows where the frame came from."""
        for entry in fields(self):
            missing = COLUMNS[entry.name].keys() - set(getattr(self, entry.name).columns)
            if missing:
                raise ValueError(f"{entry.name} lacks the columns {', '.join(sorted(missing))}")
