"""The sessions to judge, with everything the clauses ask about them brought together."""

from collections.abc import Callable
from datetime import datetime, time
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from app.protocol import presence
from app.protocol.evidence import Evidence
from app.protocol.frames import (
    NONE,
    Ints,
    Versions,
    days_since_1970,
    flags,
    found_in,
    ids,
    instants,
    micros,
    paired,
    places,
)
from app.protocol.matching import match, recorded_calls
from app.protocol.outcomes import Mask, Words
from app.settings import WEEKDAYS, Rules, Settings, Slot

SECOND = 1_000_000
MINUTE = 60 * SECOND
DAY = 24 * 60 * MINUTE
NO_TIME = 0  # where there is no log, no call

# What a pupil's own video streams say of the camera.
UNKNOWN, SHORT, SENT, ENOUGH = range(4)


def clock_micros(clock: time) -> int:
    """A time of day as microseconds since midnight."""
    return ((clock.hour * 60 + clock.minute) * 60 + clock.second) * SECOND + clock.microsecond


class SessionFacts:
    """`n` sessions, numbered from 0 in order of their start; every array here has length n.

    A session is a log with its calls, a log alone or a call alone. `log` is its position in the
    evidence's logs or -1; `calls` has one row for each call of a session (`session`, `call`: position
    in the evidence's calls, `place`); `pupils` one row for each pupil of a session, with who they
    were on its day; `stays` one row for each stay of a person.
    """

    def __init__(self, evidence: Evidence, settings: Settings, now: datetime) -> None:
        self.evidence = evidence
        self.settings = settings
        self.now = int(micros(pd.Series([now]))[0])
        self._logs, self._calls = evidence.logs, evidence.calls
        self._log_index, self._call_index = pd.Index(self._logs["log_id"]), pd.Index(self._calls["call_id"])
        self.staff = Versions(evidence.staff, "staff_id")
        self.pupil_versions = Versions(evidence.pupils, "pupil_id")
        self._bring_stays()
        self._number_sessions()
        self._set_times()
        self._look_up_people()

    # -- what the calls show of people -----------------------------------------------------------

    def _bring_stays(self) -> None:
        stays = self.evidence.stays
        call = places(self._call_index, stays["call_id"])
        self._stays, self._stay_call = stays[call != NONE], call[call != NONE]
        self._stay_from, self._stay_to = micros(self._stays["joined_at"]), micros(self._stays["left_at"])
        self._stay_staff, self._stay_pupil = ids(self._stays["staff_id"]), ids(self._stays["pupil_id"])
        self._is_staff, self._is_pupil = self._stay_staff != NONE, self._stay_pupil != NONE

        with_staff = np.zeros(len(self._calls), bool)
        with_staff[self._stay_call[self._is_staff]] = True
        # Only such a call shows who opened it, who ended it and whether a pupil was alone.
        self._telling = (with_staff & self._ours(self._calls["organiser_tenant"]))[self._stay_call]

    def _ours(self, tenant: pd.Series) -> Mask:
        """Whether each is the school's tenant, or not said."""
        codes, tenants = pd.factorize(tenant)
        ours = [str(tenant).lower() in ("", self.settings.tenant_id.lower()) for tenant in tenants]
        return np.array([*ours, True])[codes]  # the last place: not said

    # -- which sessions there are ----------------------------------------------------------------

    def _number_sessions(self) -> None:
        logs, calls = self._logs, self._calls
        log = self._log_index.get_indexer(self.evidence.log_pupils["log_id"])
        self._log_pupils = pd.DataFrame({"log": log, "pupil_id": ids(self.evidence.log_pupils["pupil_id"])})[
            log != NONE
        ]
        stays = pd.DataFrame({"call": self._stay_call, "staff_id": self._stay_staff, "pupil_id": self._stay_pupil})
        matches = match(logs, self._log_pupils, calls, stays, self._tolerance())
        is_matched = np.zeros(len(calls), bool)
        is_matched[matches["call"]] = True
        unlogged = np.flatnonzero(~is_matched)
        starts = np.concatenate([micros(logs["started_at"]), micros(calls["started_at"])[unlogged]])
        number = np.empty(len(starts), np.int64)
        number[np.argsort(starts, kind="stable")] = np.arange(len(starts))
        self.n = len(starts)
        self._session_of_log = number[: len(logs)]
        self.log = np.full(self.n, NONE)
        self.log[self._session_of_log] = np.arange(len(logs))
        of_log = matches.assign(session=number[matches["log"]])
        alone = pd.DataFrame({"session": number[len(logs) :], "call": unlogged, "place": 0})
        self.calls = pd.concat([of_log[["session", "call", "place"]], alone], ignore_index=True)
        self._session_of_call = np.empty(len(calls), np.int64)
        self._session_of_call[self.calls["call"]] = self.calls["session"]
        self._stay_session = self._session_of_call[self._stay_call]
        self.logged = self.log != NONE
        self.call = np.full(self.n, NONE)
        first = self.calls[self.calls["place"] == 0]
        self.call[first["session"]] = first["call"]
        self.has_call = self.call != NONE

    def _tolerance(self) -> Ints:
        """How far each log's call may lie apart: by the settings of the log's own day."""
        rules = self._rule_on(self._school_time(micros(self._logs["started_at"])) // DAY)
        return self._figure(rules, lambda r: int(r.match_minutes * MINUTE))

    def _set_times(self) -> None:
        """The session's time: from the first pupil's join to the last pupil's leaving, else as logged."""
        pupil = self._is_pupil
        self.start = presence.first_of(self.n, self._stay_session[pupil], self._stay_from[pupil])
        self.end = presence.last_of(self.n, self._stay_session[pupil], self._stay_to[pupil])
        logged_start = self.from_log(micros(self._logs["started_at"]), NO_TIME)
        logged_end = self.from_log(micros(self._logs["ended_at"]), NO_TIME)
        call_start = self.from_call(micros(self._calls["started_at"]), NO_TIME)
        call_end = self.from_call(micros(self._calls["ended_at"]), NO_TIME)
        without = self.start == presence.NEVER  # no pupil was seen: the call's own times, else the log's
        self.start[without] = np.where(self.has_call, call_start, logged_start)[without]
        self.end[without] = np.where(self.has_call, call_end, logged_end)[without]
        self.call_ended = call_end
        self.local_start = self._school_time(self.start)
        self.local_end = self._school_time(self.end)
        self.logged_local_start = self._school_time(logged_start)
        self.logged_local_end = self._school_time(logged_end)
        self.day = self.local_start // DAY  # days since 1970, in school time
        self.rule = self._rule_on(self.day)
        self.grace = self._figure(self.rule, lambda r: int(r.grace_seconds * SECOND))

    def _school_time(self, times: Ints) -> Ints:
        """UTC microseconds to microseconds on the school's clock."""
        local = instants(times).dt.tz_convert(self.settings.timezone).dt.tz_localize(None)
        return local.to_numpy().astype("datetime64[us]").view(np.int64)

    def _rule_on(self, day: Ints) -> npt.NDArray[np.intp]:
        """Which of the settings' rules hold on each day; before all, the first."""
        begins = np.array([r.from_ for r in self.settings.rules], "datetime64[D]").view(np.int64)
        return np.maximum(np.searchsorted(begins, day, side="right") - 1, 0)

    def _figure(self, rule: npt.NDArray[np.intp], figure: Callable[[Rules], Any]) -> npt.NDArray[Any]:
        return np.array([figure(r) for r in self.settings.rules])[rule]

    def figure(self, figure: Callable[[Rules], Any]) -> npt.NDArray[Any]:
        """A figure of the settings in force on each session's day."""
        return self._figure(self.rule, figure)

    # -- who it was ------------------------------------------------------------------------------

    def _look_up_people(self) -> None:
        organiser = self.from_call(ids(self._calls["organiser_staff_id"]), NONE)
        by_log = self.from_log(ids(self._logs["staff_id"]), NONE)
        self.staff_id = np.where(self.logged, by_log, np.where(organiser != NONE, organiser, self._first_staff()))
        self._staff_row = self.staff.rows(self.staff_id, self.day)
        self.staff_school = self.staff.fact("school", self._staff_row)
        self.department = self.staff.fact("department", self._staff_row)
        self.senior = self.staff.fact("senior", self._staff_row) == True  # noqa: E712 - None where not known

        seen, log = self._is_pupil, self._log_pupils
        in_call = paired(self._stay_session[seen], self._stay_pupil[seen])
        listed = paired(self._session_of_log[log["log"]], log["pupil_id"].to_numpy())
        # Of somebody in the call and on the log the first is kept: in the call.
        keys = np.concatenate([in_call << 1, listed << 1 | 1])
        keys.sort()
        keys = keys[np.append(True, keys[1:] >> 1 != keys[:-1] >> 1)[: len(keys)]]
        self._pupil_key = keys >> 1
        pupils = pd.DataFrame({"session": keys >> 33, "pupil_id": self._pupil_key % 2**32, "in_call": keys & 1 == 0})
        row = self.pupil_versions.rows(pupils["pupil_id"].to_numpy(), self.day[pupils["session"]])
        self.pupils = pupils.assign(row=row)

    def _pupil_of(self, stays: Ints) -> Ints:
        """The row of `pupils` for some stays of pupils."""
        return np.searchsorted(self._pupil_key, paired(self._stay_session[stays], self._stay_pupil[stays]))

    def _first_staff(self) -> Ints:
        """The member of staff who joined first; NONE where none did."""
        rows = np.flatnonzero(self._is_staff & ~self.logged[self._stay_session])
        session, staff = self._stay_session[rows], self._stay_staff[rows]
        came = self._stay_from[rows] == presence.first_of(self.n, session, self._stay_from[rows])[session]
        first = presence.first_of(self.n, session[came], staff[came])  # of several in one instant the least number
        return np.where(first == presence.NEVER, NONE, first)

    def session_of_log(self, log_ids: pd.Series) -> Ints:
        """The session of each log id; NONE where there is none."""
        return np.append(self._session_of_log, NONE)[self._log_index.get_indexer(log_ids)]

    def session_of_call(self, call_ids: pd.Series) -> Ints:
        """The session of each call id; NONE where there is none."""
        return np.append(self._session_of_call, NONE)[self._call_index.get_indexer(call_ids)]

    def has_role(self, *roles: str) -> Mask:
        """Whether the conducting member of staff had one of the roles on the session's day."""
        return self.staff.lists("roles", *roles)[self._staff_row]

    def pupil_names(self, rows: Ints) -> Words:
        """The names of the pupils in some rows of `pupils`."""
        return self.pupil_versions.fact("name", self.pupils["row"].to_numpy()[rows])

    # -- what the log says -----------------------------------------------------------------------

    def from_log(self, values: npt.NDArray[Any], blank: Any) -> npt.NDArray[Any]:
        """What stands with each session's log; `blank` where there is none."""
        return np.append(values, blank)[self.log]

    def from_call(self, values: npt.NDArray[Any], blank: Any) -> npt.NDArray[Any]:
        """What stands with each session's matched call; `blank` where there is none."""
        return np.append(values, blank)[self.call]

    def yes(self, answer: str) -> Mask:
        """Whether the log answers yes; a blank or no log is neither yes nor no."""
        return self.from_log(flags(self._logs[answer]), False)

    def no(self, answer: str) -> Mask:
        """Whether the log answers no."""
        return self.from_log(~flags(self._logs[answer], blank=True), False)

    def word(self, answer: str) -> pd.Categorical:
        """The log's word for it; "" where blank or not logged."""
        codes, words = pd.factorize(np.append(self._logs[answer].to_numpy(object, na_value=""), ""))
        return pd.Categorical.from_codes(codes[self.log], words)  # the last code, for no log, is that of ""

    # -- what the call shows ---------------------------------------------------------------------

    def those(self, sessions: Ints | pd.Series) -> Mask:
        """Whether each session is among those numbered."""
        found = np.zeros(self.n, bool)
        found[sessions] = True
        return found

    @cached_property
    def shows_staff(self) -> Mask:
        """Whether a call of the session shows when staff and pupils came and went."""
        return self.those(self._stay_session[self._telling])

    def _span(self, of: Mask) -> tuple[Ints, Ints]:
        rows = of & self._telling
        session = self._stay_session[rows]
        return (
            presence.first_of(self.n, session, self._stay_from[rows]),
            presence.last_of(self.n, session, self._stay_to[rows]),
        )

    @cached_property
    def staff_span(self) -> tuple[Ints, Ints]:
        """When the first member of staff joined and the last one left."""
        return self._span(self._is_staff)

    @cached_property
    def pupil_span(self) -> tuple[Ints, Ints]:
        """When the first pupil joined and the last one left."""
        return self._span(self._is_pupil)

    @cached_property
    def _telling_span(self) -> tuple[Ints, Ints]:
        """When the calls of the session that tell began and ended."""
        return self._span(np.ones(len(self._stays), bool))

    @cached_property
    def _silent_span(self) -> tuple[Ints, Ints]:
        """When the calls of the session that do not tell began and ended."""
        session = self._stay_session[~self._telling]
        return (
            presence.first_of(self.n, session, self._stay_from[~self._telling]),
            presence.last_of(self.n, session, self._stay_to[~self._telling]),
        )

    @cached_property
    def shows_beginning(self) -> Mask:
        """Whether the call that the session began with shows who opened it. A later one cannot."""
        return self.shows_staff & (self._telling_span[0] <= self._silent_span[0])

    @cached_property
    def shows_end(self) -> Mask:
        """Whether the call that the session ended with shows when staff and pupils left. An earlier one cannot."""
        return self.shows_staff & (self._telling_span[1] >= self._silent_span[1])

    @cached_property
    def shows_throughout(self) -> Mask:
        """Whether every call of the session shows when staff and pupils came and went."""
        return self.shows_staff & ~self.those(self._stay_session[~self._telling])

    @cached_property
    def _in_direct_call(self) -> Mask:
        """Which stays are in a peer-to-peer call."""
        return (self._calls["type"] == "peerToPeer").to_numpy()[self._stay_call]

    @cached_property
    def _first_leg(self) -> Mask:
        """Which stays are in a peer-to-peer call's leg that the session began with."""
        began = self._stay_from == self._telling_span[0][self._stay_session]
        return self._telling & self._in_direct_call & began

    @cached_property
    def began_as_direct_call(self) -> Mask:
        """Whether the session began with a peer-to-peer call."""
        return self.those(self._stay_session[self._first_leg])

    @cached_property
    def ended_as_direct_call(self) -> Mask:
        """Whether the session ended with a peer-to-peer call, which does not show who ended it."""
        ended = self._stay_to == self._telling_span[1][self._stay_session]
        return self.those(self._stay_session[self._telling & self._in_direct_call & ended])

    def _called_first(self, who: Mask) -> Mask:
        return self.those(self._stay_session[self._first_leg & who & flags(self._stays["caller"])])

    @cached_property
    def staff_called_first(self) -> Mask:
        """Whether staff were the caller of the first leg of a direct call, whoever called back later."""
        return self._called_first(self._is_staff)

    @cached_property
    def pupil_called_first(self) -> Mask:
        """Whether a pupil was the caller of the first leg of a direct call, whoever called back later."""
        return self._called_first(self._is_pupil)

    @cached_property
    def alone(self) -> presence.Stretches:
        """The stretches longer than grace with a pupil and without staff, after the first had joined."""
        rows = self._telling & (self._is_staff | self._is_pupil)
        found = presence.alone(
            self.n,
            self._stay_session[rows],
            self._stay_from[rows],
            self._stay_to[rows],
            self._is_staff[rows],
        )
        long = found.end - found.start > self.grace[found.group]
        return presence.Stretches(found.group[long], found.start[long], found.end[long])

    @cached_property
    def school_account(self) -> Mask:
        """Whether roster staff took part with an account of the school's tenant. An account found by
        its id or address, whose tenant Graph does not say, is the school's: both are the school's own."""
        return self.those(self._stay_session[self._is_staff & self._ours(self._stays["tenant"])])

    @cached_property
    def recorded_listed(self) -> Mask:
        """Whether Graph lists a recording of a call of the session."""
        listed = recorded_calls(self._calls, self.evidence.recordings)[self.calls["call"]]
        return self.those(self.calls["session"][listed])

    @cached_property
    def channel(self) -> Mask:
        """Whether the session was held in a channel meeting, all its calls."""
        in_channel = flags(self._calls["channel"])[self.calls["call"]]
        return self.has_call & ~self.those(self.calls["session"][~in_channel])

    @cached_property
    def cameras(self) -> pd.DataFrame:
        """One row for each pupil in a call: `session`, `pupil_id`, `camera` (UNKNOWN, SHORT, SENT or
        ENOUGH), `share` of the time they were in that streams with times cover (blank where there are none)."""
        mine = np.flatnonzero(self._is_pupil)
        row_of_stay = self._pupil_of(mine)
        row_of_video, videos = self._videos_of(mine, row_of_stay)
        timed = videos["started_at"].notna().to_numpy()

        n = len(self.pupils)
        video_rows = row_of_video[timed]
        has_times, has_untimed = np.zeros(n, bool), np.zeros(n, bool)
        has_times[video_rows] = True
        has_untimed[row_of_video[~timed]] = True
        counted = has_times[row_of_stay]  # a share is asked of those alone
        mine, row_of_stay = mine[counted], row_of_stay[counted]
        present, with_video = presence.time_with(
            n,
            np.concatenate([row_of_stay, video_rows]),
            np.concatenate([self._stay_from[mine], micros(videos["started_at"])[timed]]),
            np.concatenate([self._stay_to[mine], micros(videos["ended_at"])[timed]]),
            np.repeat([False, True], [len(row_of_stay), len(video_rows)]),
        )
        share = np.full(n, np.nan)
        share[has_times] = with_video[has_times] / present[has_times]
        camera = np.full(n, UNKNOWN)
        camera[has_times] = SHORT
        # An untimed stream beside a timed one may have filled what is missing: how long is not known.
        camera[has_untimed] = SENT
        camera[share >= self.figure(lambda r: r.camera_share)[self.pupils["session"]]] = ENOUGH
        return self.pupils.assign(camera=camera, share=share)[self.pupils["in_call"]]

    def _videos_of(self, stays: Ints, row_of_stay: Ints) -> tuple[Ints, pd.DataFrame]:
        """The videos sent by the people of some stays, and the stay's row for each."""
        videos = self.evidence.videos
        call = places(self._call_index, videos["call_id"])
        among = np.isin(self._stay_call[stays], call)
        stays, row_of_stay = stays[among], row_of_stay[among]
        people, _ = pd.factorize(np.concatenate([self._stays["person"].iloc[stays], videos["person"]]))
        stay = found_in(paired(self._stay_call[stays], people[: len(stays)]), paired(call, people[len(stays) :]))
        return row_of_stay[stay[stay != NONE]], videos[stay != NONE]

    def took_part(self) -> pd.DataFrame:
        """Roster staff in the session's calls, each time they were: `session`, `staff_id`."""
        staff = self._is_staff
        return pd.DataFrame({"session": self._stay_session[staff], "staff_id": self._stay_staff[staff]})

    def invited_to_call(self) -> pd.DataFrame:
        """People on the call's own list: `session`, `staff_id` (NONE: not staff on the roster)."""
        listed = self.evidence.listed
        frame = pd.DataFrame({"session": self.session_of_call(listed["call_id"]), "staff_id": ids(listed["staff_id"])})
        return frame[frame["session"] != NONE]

    def invited_in_log(self) -> pd.DataFrame:
        """People whom the log says were invited: `session`, `staff_id` (NONE: not on the roster)."""
        invited = self.evidence.log_invited
        frame = pd.DataFrame({"session": self.session_of_log(invited["log_id"]), "staff_id": ids(invited["staff_id"])})
        return frame[frame["session"] != NONE]

    def pupil_stays(self) -> pd.DataFrame:
        """The pupils' stays in calls that tell: `session`, `pupil_id`, `name`, `start`, `end`."""
        stays = np.flatnonzero(self._telling & self._is_pupil)
        return pd.DataFrame(
            {
                "session": self._stay_session[stays],
                "pupil_id": self._stay_pupil[stays],
                "name": self.pupil_names(self._pupil_of(stays)),
                "start": self._stay_from[stays],
                "end": self._stay_to[stays],
            }
        )

    # -- what the session is ---------------------------------------------------------------------

    @cached_property
    def purpose(self) -> pd.Categorical:
        """The logged purpose; "" where not logged."""
        return self.word("purpose")

    @cached_property
    def one_to_one(self) -> Mask:
        """Purpose `pastoral`, exactly one pupil (in the call, if there is one), in remote learning."""
        counted = self.pupils[self.pupils["in_call"] | ~self.has_call[self.pupils["session"]]]
        one = np.bincount(counted["session"], minlength=self.n) == 1
        remote = np.zeros(self.n, bool)
        for period in self.settings.remote_learning:
            first, last = np.array([period.from_, period.to], "datetime64[D]").view(np.int64)
            remote |= (self.day >= first) & (self.day <= last)
        return (self.purpose == "pastoral") & one & remote

    @cached_property
    def confidential(self) -> Mask:
        """Counselling; whatever a counsellor logged that is plainly nothing else; and a call with a
        counsellor in it that is not logged and so may be counselling."""
        counsellor = self.staff.lists("roles", "counsellor")
        conducting = counsellor[self._staff_row]
        rows = np.flatnonzero(self._is_staff & ~self.logged[self._stay_session])
        session = self._stay_session[rows]
        present = self.those(session[counsellor[self.staff.rows(self._stay_staff[rows], self.day[session])]])
        plain = self.purpose.isin(["music", "academic", "pastoral"])
        return (self.purpose == "counselling") | (conducting & ~plain) | present

    # -- hours -----------------------------------------------------------------------------------

    def _within(self, start: Ints, end: Ints, opens: Ints, closes: Ints) -> Mask:
        midnight = start // DAY * DAY
        return (start - midnight >= opens) & (end - midnight <= closes)

    def in_academic_hours(self, start: Ints, end: Ints) -> Mask:
        """Whether a school time lies within the academic hours of the session's day, ends included."""
        opens = self.figure(lambda r: clock_micros(r.academic_hours[0]))
        closes = self.figure(lambda r: clock_micros(r.academic_hours[1]))
        return self._within(start, end, opens, closes)

    def in_slot(self, start: Ints, end: Ints) -> Mask:
        """Whether a school time lies within one of its weekday's slots for one-to-ones."""
        weekday = (start // DAY + 3) % 7  # 1 January 1970 was a Thursday
        found = np.zeros(self.n, bool)
        for number, rules in enumerate(self.settings.rules):
            for slot in rules.one_to_one_slots:
                found |= (self.rule == number) & self._in_one_slot(slot, weekday, start, end)
        return found

    def _in_one_slot(self, slot: Slot, weekday: Ints, start: Ints, end: Ints) -> Mask:
        on = np.isin(weekday, [WEEKDAYS.index(day) for day in slot.days])
        opens, closes = (np.full(self.n, clock_micros(t)) for t in (slot.from_, slot.to))
        return on & self._within(start, end, opens, closes)

    # -- the registers ---------------------------------------------------------------------------

    def consented(self, kind: str, wanted: Mask) -> tuple[Mask, Mask]:
        """Whether every pupil of the wanted sessions has a consent of that kind which covers the
        session's time, was given before it began and was not withdrawn before that; and which of those
        rows `pupils` has. The first is per session, the second per row of `pupils`. For `outside_hours`
        SLT must have been informed before it began, for `one_to_one` the consent must state a reason."""
        covered = np.zeros(len(self.pupils), bool)
        rows = np.flatnonzero(wanted[self.pupils["session"]])
        register = self.evidence.consents
        register = register[register["kind"] == kind]
        both = self.pupils.iloc[rows][["session", "pupil_id"]].assign(row=rows).merge(register, on="pupil_id")
        session = both["session"].to_numpy()
        start, end = self.start[session], self.end[session]
        fits = (micros(both["covers_from"]) <= start) & (micros(both["covers_to"]) >= end)
        fits &= both["obtained_at"].notna().to_numpy() & (micros(both["obtained_at"]) < start)
        fits &= both["withdrawn_at"].isna().to_numpy() | (micros(both["withdrawn_at"]) > start)
        if kind == "outside_hours":
            fits &= both["slt_informed_at"].notna().to_numpy() & (micros(both["slt_informed_at"]) < start)
        else:
            fits &= (both["reason"].fillna("").str.strip() != "").to_numpy()
        covered[both["row"].to_numpy()[fits]] = True
        return wanted & self.has_pupils & ~self.those(self.pupils["session"][~covered]), covered

    @cached_property
    def has_pupils(self) -> Mask:
        """Whether a pupil of the session is known."""
        return self.those(self.pupils["session"])

    def letters(self, kind: str) -> tuple[Mask, Mask]:
        """For each row of `pupils`: whether a letter of that kind is dated before the session's day,
        and whether there is any at all."""
        register = self.evidence.letters
        register = register[register["kind"] == kind]
        first = days_since_1970(register["sent_on"])
        first = pd.Series(first).groupby(ids(register["pupil_id"])).min().reindex(self.pupils["pupil_id"]).to_numpy()
        return first < self.day[self.pupils["session"]], ~np.isnan(first)

    def reported(self, home_alone: bool = False) -> Mask:
        """Whether a concern is linked to the session and a DSP of the pupil's school was alerted; only
        concerns that a child was home alone, if so asked."""
        concerns = self.evidence.concerns
        counted = flags(concerns["alerted"])
        if home_alone:
            counted = counted & flags(concerns["home_alone"])
        concerns = concerns[counted]
        linked = np.append(self.session_of_log(concerns["log_id"]), self.session_of_call(concerns["call_id"]))
        return self.those(linked[linked != NONE])

    # -- words -----------------------------------------------------------------------------------

    def names(self, rows: Mask, sessions: Ints) -> Words:
        """The names of the pupils in the given rows of `pupils`, joined for each of some sessions."""
        names = pd.Series(self.pupil_names(np.flatnonzero(rows))).groupby(self.pupils["session"].to_numpy()[rows])
        return names.agg(in_words).reindex(sessions).to_numpy(object)

    def at(self, times: Ints) -> Words:
        """Times as read on the school's clock, "14:31:10", or "14:31" on the full minute."""
        clock = instants(times).dt.tz_convert(self.settings.timezone).dt.strftime("%H:%M:%S")
        return clock.str.replace(r"(?<=:\d\d):00$", "", regex=True).to_numpy(object)


def in_words(names: pd.Series) -> str:
    """Names joined as one says them: "Aled, Bethan and Carys"."""
    known = [str(n) for n in names.dropna()]
    return " and ".join(filter(None, [", ".join(known[:-1]), *known[-1:]]))
