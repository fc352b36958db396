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
from app.protocol.frames import Ints, as_of, instants, micros
from app.protocol.matching import match, recorded_calls
from app.protocol.outcomes import Mask, Words
from app.settings import WEEKDAYS, Rules, Settings, Slot

SECOND = 1_000_000
MINUTE = 60 * SECOND
DAY = 24 * 60 * MINUTE

# What a pupil's own video streams say of the camera.
UNKNOWN, SHORT, SENT, ENOUGH = range(4)


def clock_micros(clock: time) -> int:
    """A time of day as microseconds since midnight."""
    return ((clock.hour * 60 + clock.minute) * 60 + clock.second) * SECOND + clock.microsecond


class Cases:
    """`n` sessions, numbered from 0 in order of their start; every array here has length n.

    A session is a log with its calls, a log alone or a call alone. `log` is its position in the
    evidence's logs or -1; `calls` has one row for each call of a session (`session`, `call`: position
    in the evidence's calls, `place`); `pupils` one row for each pupil of a session, with who they
    were on its day; `stays` one row for each stay of a person.
    """

    def __init__(self, evidence: Evidence, settings: Settings, now: datetime) -> None:
        self.evidence = evidence
        self.settings = settings
        self.now = int(pd.Timestamp(now).as_unit("us").value)
        self._logs = evidence.logs.reset_index(drop=True)
        self._calls = evidence.calls.reset_index(drop=True)
        self._number_sessions()
        self._bring_stays()
        self._set_times()
        self._look_up_people()

    # -- which sessions there are ----------------------------------------------------------------

    def _number_sessions(self) -> None:
        logs, calls = self._logs, self._calls
        matches = match(logs, self.evidence.log_pupils, calls, self.evidence.stays, self._tolerance())
        unlogged = np.setdiff1d(np.arange(len(calls)), matches["call"])
        starts = np.concatenate([micros(logs["started_at"]), micros(calls["started_at"])[unlogged]])
        number = np.empty(len(starts), np.int64)
        number[np.argsort(starts, kind="stable")] = np.arange(len(starts))
        self.n = len(starts)
        self.log = np.full(self.n, -1)
        self.log[number[: len(logs)]] = np.arange(len(logs))
        of_log = matches.assign(session=number[matches["log"].to_numpy(np.int64)])
        alone = pd.DataFrame({"session": number[len(logs) :], "call": unlogged, "place": 0})
        self.calls = pd.concat([of_log[["session", "call", "place"]], alone], ignore_index=True)
        self.logged = self.log >= 0
        self.call = np.full(self.n, -1)
        first = self.calls[self.calls["place"] == 0]
        self.call[first["session"]] = first["call"]
        self.has_call = self.call >= 0

    def _tolerance(self) -> Ints:
        """How far each log's call may lie apart: by the settings of the log's own day."""
        rules = self._rule_on(self._school_time(micros(self._logs["started_at"])))
        return self._figure(rules, lambda r: int(r.match_minutes * MINUTE))

    # -- what the calls show of people -----------------------------------------------------------

    def _bring_stays(self) -> None:
        stays = self.evidence.stays.reset_index(drop=True)
        call_of_stay = pd.Index(self._calls["call_id"]).get_indexer(pd.Index(stays["call_id"]))
        session_of_call = np.full(len(self._calls) + 1, -1)  # the last place: a call that is not here
        session_of_call[self.calls["call"]] = self.calls["session"]
        keep = (call_of_stay >= 0) & (stays["left_at"] > stays["joined_at"]).to_numpy(bool)
        stays = stays[keep].reset_index(drop=True)
        self._stay_call = call_of_stay[keep]
        self._stay_session = session_of_call[self._stay_call]
        self._stay_from, self._stay_to = micros(stays["joined_at"]), micros(stays["left_at"])
        self._stay_staff = stays["staff_id"].to_numpy(np.int64, na_value=-1)
        self._stay_pupil = stays["pupil_id"].to_numpy(np.int64, na_value=-1)
        self._stays = stays

        tenant = self._calls["organiser_tenant"].astype("str").str.lower()
        self._foreign_call = (tenant.notna() & (tenant != "") & (tenant != self.settings.tenant_id.lower())).to_numpy(
            bool, na_value=False
        )
        self._p2p_call = (self._calls["type"] == "peerToPeer").to_numpy(bool)
        with_staff = np.zeros(len(self._calls), bool)
        with_staff[self._stay_call[self._stay_staff >= 0]] = True
        # Only such a call shows who opened it, who ended it and whether a pupil was alone.
        self._telling_call = with_staff & ~self._foreign_call

    def _set_times(self) -> None:
        """The session's time: from the first pupil's join to the last pupil's leaving, else as logged."""
        pupil = self._stay_pupil >= 0
        self.start = presence.first_of(self.n, self._stay_session[pupil], self._stay_from[pupil])
        self.end = presence.last_of(self.n, self._stay_session[pupil], self._stay_to[pupil])
        logged_start = self._from_log(micros(self._logs["started_at"]), 0)
        logged_end = self._from_log(micros(self._logs["ended_at"]), 0)
        call_start = self._from_call(micros(self._calls["started_at"]), 0)
        call_end = self._from_call(micros(self._calls["ended_at"]), 0)
        without = self.start == presence.NEVER  # no pupil was seen: the call's own times, else the log's
        self.start[without] = np.where(self.has_call, call_start, logged_start)[without]
        self.end[without] = np.where(self.has_call, call_end, logged_end)[without]
        self.call_ended = call_end
        self.local_start = self._school_time(self.start)
        self.local_end = self._school_time(self.end)
        self.logged_local_start = self._school_time(logged_start)
        self.logged_local_end = self._school_time(logged_end)
        self.day = self.local_start // DAY  # days since 1970, in school time
        self.rule = self._rule_on(self.local_start)
        self.grace = self._figure(self.rule, lambda r: int(r.grace_seconds * SECOND))

    def _school_time(self, times: Ints) -> Ints:
        """UTC microseconds to microseconds on the school's clock."""
        local = instants(times).dt.tz_convert(self.settings.timezone).dt.tz_localize(None)
        return local.to_numpy().astype("datetime64[us]").view(np.int64)

    def _rule_on(self, local: Ints) -> npt.NDArray[np.intp]:
        begins = np.array([np.datetime64(r.from_, "D").view(np.int64) for r in self.settings.rules])
        return np.maximum(np.searchsorted(begins, local // DAY, side="right") - 1, 0)

    def _figure(self, rule: npt.NDArray[np.intp], figure: Callable[[Rules], Any]) -> npt.NDArray[Any]:
        return np.array([figure(r) for r in self.settings.rules])[rule]

    def figure(self, figure: Callable[[Rules], Any]) -> npt.NDArray[Any]:
        """A figure of the settings in force on each session's day."""
        return self._figure(self.rule, figure)

    # -- who it was ------------------------------------------------------------------------------

    def _look_up_people(self) -> None:
        organiser = self._from_call(self._calls["organiser_staff_id"].to_numpy(np.int64, na_value=-1), -1)
        by_log = self._from_log(self._logs["staff_id"].to_numpy(np.int64, na_value=-1), -1)
        self.staff_id = np.where(self.logged, by_log, np.where(organiser >= 0, organiser, self._first_staff()))
        days = pd.Series(self.day.view("datetime64[D]").astype("datetime64[s]"))
        staff = as_of(self.evidence.staff, "staff_id", pd.Series(self.staff_id), days)
        self.staff_name = staff["name"].fillna("").to_numpy(object)
        self.staff_school = staff["school"]
        self.department = staff["department"]
        self.senior = staff["senior"].fillna(False).to_numpy(bool)
        self._roles = (";" + staff["roles"].fillna("").astype("str") + ";").to_numpy(object)

        listed = self._log_pupils()
        seen = pd.DataFrame({"session": self._stay_session, "pupil_id": self._stay_pupil})
        seen = seen[seen["pupil_id"] >= 0].drop_duplicates().assign(in_call=True)
        pupils = listed.merge(seen, on=["session", "pupil_id"], how="outer")
        pupils["in_call"] = pupils["in_call"].fillna(False).astype(bool)
        facts = as_of(self.evidence.pupils, "pupil_id", pupils["pupil_id"], days.reindex(pupils["session"]))
        self.pupils = pd.concat([pupils, facts[["name", "school", "year_group", "house"]]], axis=1)

    def _first_staff(self) -> Ints:
        """The member of staff who joined first; -1 where none did."""
        first = np.full(self.n, -1)
        rows = np.flatnonzero(self._stay_staff >= 0)
        rows = rows[np.lexsort((self._stay_staff[rows], self._stay_from[rows]))][::-1]
        first[self._stay_session[rows]] = self._stay_staff[rows]  # the earliest is written last
        return first

    def _log_pupils(self) -> pd.DataFrame:
        pupils = self.evidence.log_pupils
        return pd.DataFrame(
            {"session": self.session_of_log(pupils["log_id"]), "pupil_id": pupils["pupil_id"].to_numpy(np.int64)}
        ).query("session >= 0")

    def session_of_log(self, log_ids: pd.Series) -> Ints:
        """The session of each log id; -1 where there is none."""
        session = np.full(len(self._logs) + 1, -1)
        session[self.log[self.logged]] = np.flatnonzero(self.logged)
        return session[pd.Index(self._logs["log_id"]).get_indexer(pd.Index(log_ids))]

    def session_of_call(self, call_ids: pd.Series) -> Ints:
        """The session of each call id; -1 where there is none."""
        session = np.full(len(self._calls) + 1, -1)
        session[self.calls["call"]] = self.calls["session"]
        return session[pd.Index(self._calls["call_id"]).get_indexer(pd.Index(call_ids))]

    def has_role(self, *roles: str) -> Mask:
        """Whether the conducting member of staff had one of the roles on the session's day."""
        found = np.zeros(self.n, bool)
        for role in roles:
            found |= np.fromiter((f";{role};" in held for held in self._roles), bool, self.n)
        return found

    # -- what the log says -----------------------------------------------------------------------

    def _from_log(self, values: npt.NDArray[Any], blank: Any) -> npt.NDArray[Any]:
        return np.append(values, blank)[self.log] if len(values) else np.full(self.n, blank)

    def _from_call(self, values: npt.NDArray[Any], blank: Any) -> npt.NDArray[Any]:
        return np.append(values, blank)[self.call] if len(values) else np.full(self.n, blank)

    def yes(self, answer: str) -> Mask:
        """Whether the log answers yes; a blank or no log is neither yes nor no."""
        return self._from_log(self._logs[answer].fillna(False).to_numpy(bool), False)

    def no(self, answer: str) -> Mask:
        """Whether the log answers no."""
        return self._from_log((~self._logs[answer].fillna(True)).to_numpy(bool), False)

    def word(self, answer: str) -> Words:
        """The log's word for it; "" where blank or not logged."""
        return self._from_log(self._logs[answer].fillna("").to_numpy(object), "")

    # -- what the call shows ---------------------------------------------------------------------

    @cached_property
    def _telling(self) -> Mask:
        """The stays in calls that show who opened, who ended and who was alone."""
        return self._telling_call[self._stay_call]

    @cached_property
    def shows_staff(self) -> Mask:
        """Whether a call of the session shows when staff and pupils came and went."""
        shows = np.zeros(self.n, bool)
        shows[self._stay_session[self._telling]] = True
        return shows

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
        return self._span(self._stay_staff >= 0)

    @cached_property
    def pupil_span(self) -> tuple[Ints, Ints]:
        """When the first pupil joined and the last one left."""
        return self._span(self._stay_pupil >= 0)

    def _p2p(self, outermost: Callable[..., Ints], times: Ints) -> Mask:
        """Whether the first (or the last) telling call of the session is a peer-to-peer call."""
        rows = np.flatnonzero(self._telling)
        session, at = self._stay_session[rows], times[rows]
        edge = rows[at == outermost(self.n, session, at)[session]]
        found = np.zeros(self.n, bool)
        found[self._stay_session[edge]] = self._p2p_call[self._stay_call[edge]]
        return found

    @cached_property
    def rung(self) -> Mask:
        """Whether the session began with a peer-to-peer call: its caller opened it."""
        return self._p2p(presence.first_of, self._stay_from)

    @cached_property
    def rung_off(self) -> Mask:
        """Whether the session ended with a peer-to-peer call: it does not show who ended it."""
        return self._p2p(presence.last_of, self._stay_to)

    @cached_property
    def staff_rang(self) -> Mask:
        """Whether staff were the caller of a peer-to-peer call."""
        caller = self._stays["caller"].fillna(False).to_numpy(bool)
        found = np.zeros(self.n, bool)
        found[self._stay_session[self._telling & caller & (self._stay_staff >= 0) & self._p2p_call[self._stay_call]]] = True
        return found

    @cached_property
    def alone(self) -> presence.Stretches:
        """The stretches longer than grace with a pupil and without staff, after the first had joined."""
        person = (self._stay_staff >= 0) | (self._stay_pupil >= 0)
        rows = self._telling & person
        found = presence.alone(
            self.n,
            self._stay_session[rows],
            self._stay_from[rows],
            self._stay_to[rows],
            self._stay_staff[rows] >= 0,
        )
        long = found.end - found.start > self.grace[found.group]
        return presence.Stretches(found.group[long], found.start[long], found.end[long])

    @cached_property
    def school_account(self) -> Mask:
        """Whether roster staff took part with an account of the school's tenant. An account found by
        its id or address, whose tenant Graph does not say, is the school's: both are the school's own."""
        tenant = self._stays["tenant"].astype("str").str.lower().fillna("").to_numpy(object)
        ours = (tenant == self.settings.tenant_id.lower()) | (tenant == "")
        found = np.zeros(self.n, bool)
        found[self._stay_session[ours & (self._stay_staff >= 0)]] = True
        return found

    @cached_property
    def recorded_listed(self) -> Mask:
        """Whether Graph lists a recording of a call of the session."""
        listed = recorded_calls(self._calls, self.evidence.recordings)[self.calls["call"]]
        found = np.zeros(self.n, bool)
        found[self.calls["session"][listed]] = True
        return found

    @cached_property
    def channel(self) -> Mask:
        """Whether the session was held in a channel meeting, all its calls."""
        in_channel = self._calls["channel"].fillna(False).to_numpy(bool)[self.calls["call"]]
        found = self.has_call.copy()
        found[self.calls["session"][~in_channel]] = False
        return found

    @cached_property
    def cameras(self) -> pd.DataFrame:
        """One row for each pupil in a call: `session`, `pupil_id`, `camera` (UNKNOWN, SHORT, SENT or
        ENOUGH), `share` of the time they were in (blank where stream times are missing)."""
        in_call = self.pupils.loc[self.pupils["in_call"], ["session", "pupil_id", "name"]].reset_index(drop=True)
        key = pd.MultiIndex.from_frame(in_call[["session", "pupil_id"]])
        pupil_stay = self._stay_pupil >= 0
        row_of_stay = key.get_indexer(
            pd.MultiIndex.from_arrays([self._stay_session[pupil_stay], self._stay_pupil[pupil_stay]])
        )
        person = self._stays.loc[pupil_stay, ["call_id", "person"]].assign(row=row_of_stay).drop_duplicates()
        videos = self.evidence.videos.merge(person, on=["call_id", "person"])
        timed = (videos["started_at"].notna() & videos["ended_at"].notna()).to_numpy(bool)
        row_of_video = videos["row"].to_numpy(np.int64)

        n = len(in_call)
        video_rows = row_of_video[timed]
        present, with_video = presence.time_with(
            n,
            np.concatenate([row_of_stay, video_rows]),
            np.concatenate([self._stay_from[pupil_stay], micros(videos["started_at"])[timed]]),
            np.concatenate([self._stay_to[pupil_stay], micros(videos["ended_at"])[timed]]),
            np.repeat([False, True], [len(row_of_stay), len(video_rows)]),
        )
        has_times, has_untimed = np.zeros(n, bool), np.zeros(n, bool)
        has_times[video_rows] = True
        has_untimed[row_of_video[~timed]] = True
        share = np.where(has_times, with_video / np.maximum(present, 1), np.nan)
        wanted = self.figure(lambda r: r.camera_share)[in_call["session"]]
        # An untimed stream beside a timed one may have filled what is missing: how long is not known.
        in_call["camera"] = np.select(
            [has_times & (share >= wanted), has_untimed, has_times], [ENOUGH, SENT, SHORT], default=UNKNOWN
        )
        in_call["share"] = np.where(in_call["camera"] == SENT, np.nan, share)
        return in_call

    def took_part(self) -> pd.DataFrame:
        """Roster staff in the session's calls: `session`, `staff_id`."""
        staff = self._stay_staff >= 0
        frame = pd.DataFrame({"session": self._stay_session[staff], "staff_id": self._stay_staff[staff]})
        return frame.drop_duplicates()

    def invited_to_call(self) -> pd.DataFrame:
        """People on the call's own list: `session`, `staff_id` (blank: not staff on the roster).

        Graph lists those who took part; only a list that names somebody who did not take part is one
        of invited people."""
        listed = self.evidence.listed
        took_part = pd.MultiIndex.from_frame(self._stays[["call_id", "person"]])
        absent = ~pd.MultiIndex.from_frame(listed[["call_id", "person"]]).isin(took_part)
        invited = listed[listed["call_id"].isin(listed.loc[absent, "call_id"])]
        frame = pd.DataFrame({"session": self.session_of_call(invited["call_id"]), "staff_id": invited["staff_id"]})
        return frame[frame["session"] >= 0]

    def invited_in_log(self) -> pd.DataFrame:
        """People whom the log says were invited: `session`, `staff_id` (blank: not on the roster)."""
        invited = self.evidence.log_invited
        frame = pd.DataFrame({"session": self.session_of_log(invited["log_id"]), "staff_id": invited["staff_id"]})
        return frame[frame["session"] >= 0]

    def pupil_stays(self) -> pd.DataFrame:
        """The pupils' stays in calls that tell: `session`, `pupil_id`, `name`, `start`, `end`."""
        rows = self._telling & (self._stay_pupil >= 0)
        stays = pd.DataFrame(
            {
                "session": self._stay_session[rows],
                "pupil_id": self._stay_pupil[rows],
                "start": self._stay_from[rows],
                "end": self._stay_to[rows],
            }
        )
        return stays.merge(self.pupils[["session", "pupil_id", "name"]], on=["session", "pupil_id"])

    # -- what the session is ---------------------------------------------------------------------

    @cached_property
    def purpose(self) -> Words:
        """The logged purpose; "" where not logged."""
        return self.word("purpose")

    @cached_property
    def one_to_one(self) -> Mask:
        """Purpose `pastoral`, exactly one pupil (in the call, if there is one), in remote learning."""
        counted = self.pupils[self.pupils["in_call"] | ~self.has_call[self.pupils["session"]]]
        one = np.bincount(counted["session"], minlength=self.n) == 1
        remote = np.zeros(self.n, bool)
        for period in self.settings.remote_learning:
            first, last = (np.datetime64(d, "D").view(np.int64) for d in (period.from_, period.to))
            remote |= (self.day >= first) & (self.day <= last)
        return (self.purpose == "pastoral") & one & remote

    @cached_property
    def confidential(self) -> Mask:
        """Counselling, or a call with a counsellor in it that is not logged and so may be counselling."""
        at = self.took_part()
        days = pd.Series(self.day.view("datetime64[D]").astype("datetime64[s]"))
        roles = as_of(self.evidence.staff, "staff_id", at["staff_id"], days.reindex(at["session"]))["roles"]
        counsellor = (";" + roles.fillna("").astype("str") + ";").str.contains(";counsellor;", regex=False)
        with_counsellor = self.has_role("counsellor")
        with_counsellor[at["session"].to_numpy()[counsellor.to_numpy(bool)]] = True
        return (self.purpose == "counselling") | (~self.logged & with_counsellor)

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
        session's time and was given before it began; and which of those rows `pupils` has. The first
        is per session, the second per row of `pupils`. For `outside_hours` SLT must have been informed
        before it began, for `one_to_one` the consent must state a reason."""
        covered = np.zeros(len(self.pupils), bool)
        rows = np.flatnonzero(wanted[self.pupils["session"]])
        register = self.evidence.consents
        register = register[register["kind"] == kind]
        both = self.pupils.iloc[rows][["session", "pupil_id"]].assign(row=rows).merge(register, on="pupil_id")
        session = both["session"].to_numpy(np.int64)
        start, end = self.start[session], self.end[session]
        fits = (micros(both["covers_from"]) <= start) & (micros(both["covers_to"]) >= end)
        fits &= both["obtained_at"].notna().to_numpy() & (micros(both["obtained_at"]) < start)
        if kind == "outside_hours":
            fits &= both["slt_informed_at"].notna().to_numpy() & (micros(both["slt_informed_at"]) < start)
        else:
            fits &= (both["reason"].fillna("").astype("str").str.strip() != "").to_numpy(bool)
        covered[both["row"].to_numpy()[fits]] = True
        lacking = np.zeros(self.n, bool)
        lacking[self.pupils["session"][~covered]] = True
        return wanted & ~lacking & self.has_pupils, covered

    @cached_property
    def has_pupils(self) -> Mask:
        """Whether a pupil of the session is known."""
        return np.bincount(self.pupils["session"], minlength=self.n) > 0

    def letters(self, kind: str) -> tuple[Mask, Mask]:
        """For each row of `pupils`: whether a letter of that kind is dated before the session's day,
        and whether there is any at all."""
        register = self.evidence.letters
        register = register[register["kind"] == kind]
        sent = register["sent_on"].to_numpy().astype("datetime64[D]").view(np.int64)
        earliest = pd.Series(sent).groupby(register["pupil_id"].to_numpy(np.int64)).min()
        first = self.pupils["pupil_id"].map(earliest)
        return (first < self.day[self.pupils["session"]]).to_numpy(bool), first.notna().to_numpy(bool)

    def reported(self, home_alone: bool = False) -> Mask:
        """Whether a concern is linked to the session and a DSP of the pupil's school was alerted; only
        concerns that a child was home alone, if so asked."""
        concerns = self.evidence.concerns
        counted = concerns["alerted"].fillna(False).to_numpy(bool)
        if home_alone:
            counted = counted & concerns["home_alone"].fillna(False).to_numpy(bool)
        concerns = concerns[counted]
        found = np.zeros(self.n + 1, bool)  # the last place: linked to no session here
        found[self.session_of_log(concerns["log_id"])] = True
        found[self.session_of_call(concerns["call_id"])] = True
        return found[: self.n]

    # -- words -----------------------------------------------------------------------------------

    def names(self, rows: npt.NDArray[np.bool_]) -> Words:
        """The names of the pupils in the given rows of `pupils`, joined for each session."""
        names = self.pupils[rows].groupby("session")["name"].agg(in_words)
        return names.reindex(range(self.n)).fillna("").to_numpy(object)

    def at(self, times: Ints) -> pd.Series:
        """Times as read on the school's clock, "14:31:10"."""
        return instants(times).dt.tz_convert(self.settings.timezone).dt.strftime("%H:%M:%S")


def in_words(names: pd.Series) -> str:
    """Names joined as one says them: "Aled, Bethan and Carys"."""
    known = [str(n) for n in names.dropna()]
    return " and ".join(filter(None, [", ".join(known[:-1]), *known[-1:]]))
