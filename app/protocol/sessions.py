"""Builds the sessions from logs and calls: who took part, from when to when, and what the logs say."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from app.protocol import presence
from app.protocol.belonging import find_followed, find_records
from app.protocol.calls import Calls
from app.protocol.evidence import Evidence
from app.protocol.frames import NONE, Ints, Mask, Versions, Words, flags, ids, instants, micros, paired
from app.protocol.matching import find_pairs, join_calls, match_best_first, name_people
from app.settings import Rules, Settings
from app.vocabulary.roles import Role
from app.vocabulary.terms import CallPart

SECOND = 1_000_000
MINUTE = 60 * SECOND
DAY = 24 * 60 * MINUTE
NO_TIME = 0  # used if there is no log or no call


class Sessions:
    """`n` sessions, numbered from 0 in the order of their starts. Every array has one value per session, unless stated
    otherwise. A session is a log with its calls, a log without a call, or a call without a log.

    - `log`, `call`: the positions of the session's log and of its matched call in the evidence, or NONE
    - `calls`: one row for each call of a session: `session`, `call` (a position), `place`, `part` (a CallPart)
    - `own_calls`: the rows of `calls` that make up the sessions; `rooms_after`: the rooms without staff after them
    - `pupils`: one row for each pupil of a session: `session`, `pupil_id`, `in_call`, `row` (in `pupil_versions`, on
      the session's day)
    - `_stay_…`: one value for each stay of a person in a session's own calls
    """

    def __init__(self, evidence: Evidence, settings: Settings, now: datetime) -> None:
        self.evidence = evidence
        self.settings = settings
        self.now = int(micros(pd.Series([now]))[0])
        self.on_record = Calls(evidence, settings)
        self._logs = evidence.logs
        self._log_index = pd.Index(self._logs["log_id"])
        self.staff = Versions(evidence.staff, "staff_id")
        self.pupil_versions = Versions(evidence.pupils, "pupil_id")
        self._number_sessions()
        self._read_stays()
        self._set_times()
        self._look_up_people()

    # -- which sessions there are ----------------------------------------------------------------

    def _number_sessions(self) -> None:
        matches, call_before, part = self._sort_calls()
        logs, on_record = self._logs, self.on_record
        unlogged = np.setdiff1d(np.flatnonzero(part == CallPart.SESSION), matches["call"])
        starts = np.concatenate([micros(logs["started_at"]), on_record.start[unlogged]])
        number = np.argsort(np.argsort(starts, kind="stable"))
        self.n = len(starts)
        self._session_of_log = number[: len(logs)]
        self.log = np.full(self.n, NONE)
        self.log[self._session_of_log] = np.arange(len(logs))
        self.logged = self.log != NONE
        logged = matches.assign(session=number[matches["log"]])[["session", "call", "place"]]
        not_logged = pd.DataFrame({"session": number[len(logs) :], "call": unlogged, "place": 0})
        self.own_calls = pd.concat([logged, not_logged], ignore_index=True).assign(part=CallPart.SESSION.value)
        self._session_of_call = np.full(len(on_record.frame), NONE)
        self._session_of_call[self.own_calls["call"]] = self.own_calls["session"]
        further = [self._further_calls(each, part, call_before) for each in (CallPart.AFTER, CallPart.REPORT)]
        self.rooms_after = further[0]
        self.calls = self._give_places(pd.concat(further, ignore_index=True))
        self.call = np.full(self.n, NONE)
        first = self.own_calls[self.own_calls["place"] == 0]
        self.call[first["session"]] = first["call"]
        self.has_call: Mask = self.call != NONE
        self.unattended: Mask = ~self.logged & self.from_call(on_record.without_staff, blank=False)
        self.every_session = np.ones(self.n, bool)

    def _sort_calls(self) -> tuple[pd.DataFrame, Ints, Words]:
        """Returns the calls of each log, as `match` does; for each call, the position of the call to which it belongs,
        or NONE; and for each call, its CallPart."""
        on_record, logs = self.on_record, self._logs
        day = self._school_time(on_record.start) // DAY
        record = find_records(on_record)
        counts, room = record == NONE, on_record.without_staff
        log = self._log_index.get_indexer(self.evidence.log_pupils["log_id"])
        log_pupils = pd.DataFrame({"log": log, "pupil_id": ids(self.evidence.log_pupils["pupil_id"])})
        self._log_pupils = log_pupils[log != NONE]
        people = on_record.people[counts[on_record.people["call"]]]
        pairs = find_pairs(logs, self._log_pupils, on_record.frame, people, self._tolerance())
        matched = match_best_first(pairs)
        left = ~np.isin(np.arange(len(counts)), matched["call"])
        # A room that no log matches may belong to an earlier call, which may be a room itself.
        followed = find_followed(on_record, counts & room & left, counts, day)
        pairs = pairs[followed[pairs["call"]] == NONE]
        matches = join_calls(pairs, matched, name_people(logs, self._log_pupils), people, room)
        parts = [CallPart.REPORT.value, CallPart.AFTER.value]
        part = np.select([record != NONE, followed != NONE], parts, CallPart.SESSION.value).astype(object)
        return matches, np.maximum(record, followed), part

    def _further_calls(self, which: CallPart, part: Words, call_before: Ints) -> pd.DataFrame:
        """The calls of one part, each with the session of the call to which it belongs: `session`, `call`, `part`."""
        call, before = np.flatnonzero(part == which), call_before.copy()
        while len(again := call[self._session_of_call[before[call]] == NONE]):  # it follows a room after a session
            before[again] = call_before[before[again]]
        self._session_of_call[call] = self._session_of_call[before[call]]
        return pd.DataFrame({"session": self._session_of_call[call], "call": call, "part": which.value})

    def _give_places(self, further: pd.DataFrame) -> pd.DataFrame:
        """All calls of the sessions: the further ones come after the session's own, in order of time."""
        call_id = self.on_record.frame["call_id"].to_numpy(object)[further["call"]]
        further = further.assign(start=self.on_record.start[further["call"]], call_id=call_id)
        further = further.sort_values(["start", "call_id"])
        own = np.bincount(self.own_calls["session"], minlength=self.n)[further["session"]]
        place = own + further.groupby("session").cumcount()
        columns = ["session", "call", "place", "part"]
        return pd.concat([self.own_calls, further.assign(place=place)], ignore_index=True)[columns]

    # -- who was in the calls --------------------------------------------------------------------

    def _read_stays(self) -> None:
        """Set who was in the sessions' own calls and when, and who took part in them at unknown times (`_listed`:
        `call`, `session`, `staff_id`, `pupil_id`)."""
        own = np.zeros(len(self.on_record.frame), bool)
        own[self.own_calls["call"]] = True
        stays, listed = self.on_record.stays, self.on_record.listed
        self._stays = stays[own[stays["call"]]]
        self._listed = listed[own[listed["call"]]]
        self._listed = self._listed.assign(session=self._session_of_call[self._listed["call"]])
        self._stay_call = self._stays["call"].to_numpy()
        self._stay_session = self._session_of_call[self._stay_call]
        self._stay_from, self._stay_to = self._stays["start"].to_numpy(), self._stays["end"].to_numpy()
        self._stay_staff, self._stay_pupil = self._stays["staff_id"].to_numpy(), self._stays["pupil_id"].to_numpy()
        self._is_staff, self._is_pupil = self._stay_staff != NONE, self._stay_pupil != NONE
        self._stay_is_caller = flags(self._stays["caller"])

    def _tolerance(self) -> Ints:
        """For each log, the longest gap allowed between it and its call, by the settings in force on its day."""
        rule = self._rule_on(self._school_time(micros(self._logs["started_at"])) // DAY)
        return self.setting(lambda r: int(r.match_minutes * MINUTE), rule)

    def _set_times(self) -> None:
        """Set the sessions' times: from the first pupil's joining to the last pupil's leaving, else as logged, else the
        call's."""
        pupil = self._is_pupil
        self.start = presence.first_of(self.n, self._stay_session[pupil], self._stay_from[pupil])
        self.end = presence.last_of(self.n, self._stay_session[pupil], self._stay_to[pupil])
        logged_start = self.from_log(micros(self._logs["started_at"]), blank=NO_TIME)
        logged_end = self.from_log(micros(self._logs["ended_at"]), blank=NO_TIME)
        self.call_ended = self.from_call(self.on_record.end, blank=NO_TIME)
        without = self.start == presence.NEVER  # no pupil's times in a call are known
        call_start = self.from_call(self.on_record.start, blank=NO_TIME)
        self.start[without] = np.where(self.logged, logged_start, call_start)[without]
        self.end[without] = np.where(self.logged, logged_end, self.call_ended)[without]
        self.time_from_call = ~(without & self.logged)
        self.local_start = self._school_time(self.start)
        self.local_end = self._school_time(self.end)
        self.logged_local_start = self._school_time(logged_start)
        self.logged_local_end = self._school_time(logged_end)
        self.day = self.local_start // DAY  # days since 1970, in school time
        self.rule = self._rule_on(self.day)
        self.grace = self.setting(lambda r: int(r.grace_seconds * SECOND))

    def _school_time(self, times: Ints) -> Ints:
        """Convert microseconds in UTC to microseconds in school time."""
        local = instants(times).dt.tz_convert(self.settings.timezone).dt.tz_localize(None)
        return np.asarray(local, "datetime64[us]").view(np.int64)

    def _rule_on(self, day: Ints) -> Ints:
        """For each day (since 1970), the index of the rules in force; before the first rules begin, 0."""
        begins = np.array([r.from_ for r in self.settings.rules], "datetime64[D]").view(np.int64)
        return np.maximum(np.searchsorted(begins, day, side="right") - 1, 0)

    def setting(self, read: Callable[[Rules], Any], rule: Ints | None = None) -> npt.NDArray[Any]:
        """For each session, what `read` returns for the rules in force on its day; or for each of the given rules, by
        index."""
        return np.array([read(r) for r in self.settings.rules])[self.rule if rule is None else rule]

    # -- who conducted it, with which pupils -----------------------------------------------------

    def _look_up_people(self) -> None:
        organiser = self.from_call(ids(self.on_record.frame["organiser_staff_id"]), blank=NONE)
        by_log = self.from_log(ids(self._logs["staff_id"]), blank=NONE)
        self.staff_id = np.where(self.logged, by_log, np.where(organiser != NONE, organiser, self._first_staff()))
        self._staff_row = self.staff.rows(self.staff_id, self.day)
        self.staff_school = self.staff.fact("school", self._staff_row)
        self.department = self.staff.fact("department", self._staff_row)
        self.senior = self.staff.fact("senior", self._staff_row) == True  # noqa: E712 - None where not known

        was_in_call, log = self._is_pupil, self._log_pupils
        listed = self._listed[self._listed["pupil_id"] != NONE]
        with_times = paired(self._stay_session[was_in_call], self._stay_pupil[was_in_call])
        in_call = np.append(with_times, paired(listed["session"].to_numpy(), listed["pupil_id"].to_numpy()))
        logged = paired(self._session_of_log[log["log"]], log["pupil_id"].to_numpy())
        key = pd.Series(np.concatenate([in_call, logged])).drop_duplicates().sort_values(ignore_index=True)
        pupils = pd.DataFrame({"session": key // 2**32, "pupil_id": key % 2**32, "in_call": key.isin(in_call)})
        self._pupil_key = key.to_numpy()
        row = self.pupil_versions.rows(pupils["pupil_id"].to_numpy(), self.day[pupils["session"]])
        self.pupils = pupils.assign(row=row)

    def _pupil_of(self, stays: Mask) -> Ints:
        """For each of the given stays, which are pupils', the row of `pupils`."""
        return np.searchsorted(self._pupil_key, paired(self._stay_session[stays], self._stay_pupil[stays]))

    def _first_staff(self) -> Ints:
        """The member of staff who joined first, else one who took part at unknown times; of several, the one with the
        lowest id. NONE if no staff took part."""
        stays = pd.DataFrame({"session": self._stay_session, "start": self._stay_from, "staff_id": self._stay_staff})
        people = pd.concat([stays, self._listed[["session", "staff_id"]].assign(start=presence.NEVER)])
        people = people[people["staff_id"] != NONE].sort_values(["start", "staff_id"]).drop_duplicates("session")
        first = np.full(self.n, NONE)
        first[people["session"]] = people["staff_id"]
        return first

    def session_of_log(self, log_ids: pd.Series) -> Ints:
        """The session of each log id; NONE if there is none."""
        return _at(self._log_index.get_indexer(log_ids), self._session_of_log, NONE)

    def session_of_call(self, call_ids: pd.Series) -> Ints:
        """The session of each call id; NONE if there is none."""
        return _at(self.on_record.index.get_indexer(call_ids), self._session_of_call, NONE)

    def has_role(self, *roles: Role) -> Mask:
        """Whether the conducting member of staff had one of the roles on the session's day."""
        return self.staff.lists("roles", *roles)[self._staff_row]

    def pupil_names(self, rows: Ints) -> Words:
        """The names of the pupils in the given rows of `pupils`."""
        return self.pupil_versions.fact("name", self.pupils["row"].to_numpy()[rows])

    # -- what the log says -----------------------------------------------------------------------

    def from_log(self, values: npt.NDArray[Any], *, blank: Any) -> npt.NDArray[Any]:
        """The value for each session's log, from one value per log; `blank` if the session has no log."""
        return _at(self.log, values, blank)

    def from_call(self, values: npt.NDArray[Any], *, blank: Any) -> npt.NDArray[Any]:
        """The value for each session's matched call, from one value per call; `blank` if the session has no call."""
        return _at(self.call, values, blank)

    def yes(self, answer: str) -> Mask:
        """Whether the log answers yes. A blank answer, or no log, is neither yes nor no."""
        return self.from_log(flags(self._logs[answer]), blank=False)

    def no(self, answer: str) -> Mask:
        """Whether the log answers no."""
        return self.from_log(~flags(self._logs[answer], blank=True), blank=False)

    def word(self, answer: str) -> pd.Categorical:
        """The log's answer as stored; "" if blank or not logged."""
        return pd.Categorical(self.from_log(self._logs[answer].to_numpy(object, na_value=""), blank=""))

    def mask_of(self, sessions: Ints | pd.Series) -> Mask:
        """Whether each session is among the given numbers."""
        mask = np.zeros(self.n, bool)
        mask[sessions] = True
        return mask


def _at(positions: Ints, values: npt.NDArray[Any], blank: Any) -> npt.NDArray[Any]:
    """The value at each position; `blank` at NONE."""
    return np.asarray(np.append(values, blank)[positions])
