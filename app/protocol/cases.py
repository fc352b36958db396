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
from app.protocol.frames import Ints, Versions, distinct, ids, instants, micros, places
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
        self.now = int(micros(pd.Series([now]))[0])
        self._logs = evidence.logs.reset_index(drop=True)
        self._calls = evidence.calls.reset_index(drop=True)
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
        came, went = micros(stays["joined_at"]), micros(stays["left_at"])
        keep = np.flatnonzero((call >= 0) & (went > came))
        self._stays = stays.iloc[keep].reset_index(drop=True)
        self._stay_call = call[keep].astype(np.int64)
        self._stay_from, self._stay_to = came[keep], went[keep]
        self._stay_staff, self._stay_pupil = ids(stays["staff_id"])[keep], ids(stays["pupil_id"])[keep]

        tenants, uniques = pd.factorize(self._calls["organiser_tenant"])
        foreign = [str(tenant).lower() not in ("", self.settings.tenant_id.lower()) for tenant in uniques]
        self._foreign_call = np.array([*foreign, False], bool)[tenants]  # the last place: not known, so ours
        self._p2p_call = (self._calls["type"] == "peerToPeer").to_numpy(bool)
        with_staff = np.zeros(len(self._calls), bool)
        with_staff[self._stay_call[self._stay_staff >= 0]] = True
        # Only such a call shows who opened it, who ended it and whether a pupil was alone.
        self._telling_call = with_staff & ~self._foreign_call

    # -- which sessions there are ----------------------------------------------------------------

    def _number_sessions(self) -> None:
        logs, calls = self._logs, self._calls
        log = self._log_index.get_indexer(pd.Index(self.evidence.log_pupils["log_id"]))
        self._log_pupils = pd.DataFrame({"log": log, "pupil_id": ids(self.evidence.log_pupils["pupil_id"])})[log >= 0]
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
        self.log = np.full(self.n, -1)
        self.log[self._session_of_log] = np.arange(len(logs))
        of_log = matches.assign(session=number[matches["log"].to_numpy(np.int64)])
        alone = pd.DataFrame({"session": number[len(logs) :], "call": unlogged, "place": 0})
        self.calls = pd.concat([of_log[["session", "call", "place"]], alone], ignore_index=True)
        self._session_of_call = np.full(len(calls), -1)
        self._session_of_call[self.calls["call"]] = self.calls["session"]
        self._stay_session = self._session_of_call[self._stay_call]
        self.logged = self.log >= 0
        self.call = np.full(self.n, -1)
        first = self.calls[self.calls["place"] == 0]
        self.call[first["session"]] = first["call"]
        self.has_call = self.call >= 0

    def _tolerance(self) -> Ints:
        """How far each log's call may lie apart: by the settings of the log's own day."""
        rules = self._rule_on(self._school_time(micros(self._logs["started_at"])))
        return self._figure(rules, lambda r: int(r.match_minutes * MINUTE))

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
        organiser = self._from_call(ids(self._calls["organiser_staff_id"]), -1)
        by_log = self._from_log(ids(self._logs["staff_id"]), -1)
        self.staff_id = np.where(self.logged, by_log, np.where(organiser >= 0, organiser, self._first_staff()))
        self._staff_row = self.staff.rows(self.staff_id, self.day)
        self.staff_school = self.staff.fact("school", self._staff_row)
        self.department = self.staff.fact("department", self._staff_row)
        self.senior = self.staff.fact("senior", self._staff_row) == True  # noqa: E712 - None where not known

        listed = pd.DataFrame(
            {"session": self._session_of_log[self._log_pupils["log"]], "pupil_id": self._log_pupils["pupil_id"]}
        )
        seen = self._stay_pupil >= 0
        in_call = pd.DataFrame({"session": self._stay_session[seen], "pupil_id": self._stay_pupil[seen]})
        # Those in the call come first, so that they are the ones kept.
        both = pd.concat([in_call, listed], ignore_index=True)
        pupils = distinct(both, ["session", "pupil_id"])
        pupils = pupils.assign(in_call=pupils.index < len(in_call))
        width = int(pupils["pupil_id"].max()) + 1 if len(pupils) else 1
        order = np.argsort(pupils["session"].to_numpy(np.int64) * width + pupils["pupil_id"].to_numpy(np.int64))
        pupils = pupils.iloc[order].reset_index(drop=True)
        row = self.pupil_versions.rows(ids(pupils["pupil_id"]), self.day[pupils["session"]])
        self.pupils = pupils.assign(row=row)

    def _first_staff(self) -> Ints:
        """The member of staff who joined first; -1 where none did."""
        first = np.full(self.n, -1)
        rows = np.flatnonzero((self._stay_staff >= 0) & ~self.logged[self._stay_session])
        rows = rows[np.lexsort((self._stay_staff[rows], self._stay_from[rows]))][::-1]
        first[self._stay_session[rows]] = self._stay_staff[rows]  # the earliest is written last
        return first

    def session_of_log(self, log_ids: pd.Series) -> Ints:
        """The session of each log id; -1 where there is none."""
        return np.append(self._session_of_log, -1)[self._log_index.get_indexer(pd.Index(log_ids))]

    def session_of_call(self, call_ids: pd.Series) -> Ints:
        """The session of each call id; -1 where there is none."""
        return np.append(self._session_of_call, -1)[self._call_index.get_indexer(pd.Index(call_ids))]

    def has_role(self, *roles: str) -> Mask:
        """Whether the conducting member of staff had one of the roles on the session's day."""
        return self.staff.lists("roles", *roles)[self._staff_row]

    def pupil_names(self, rows: Ints | slice = slice(None)) -> Words:
        """The names of the pupils in some rows of `pupils`."""
        return self.pupil_versions.fact("name", self.pupils["row"].to_numpy()[rows])

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

    def word(self, answer: str) -> pd.Categorical:
        """The log's word for it; "" where blank or not logged."""
        codes, words = pd.factorize(self._logs[answer])
        categories = ["", *(str(word) for word in words if word != "")]
        place = np.array([0 if word == "" else categories.index(word) for word in words] + [0])
        return pd.Categorical.from_codes(self._from_log(place[codes], 0), categories)

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
        found[
            self._stay_session[self._telling & caller & (self._stay_staff >= 0) & self._p2p_call[self._stay_call]]
        ] = True
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
        of_staff = np.flatnonzero(self._stay_staff >= 0)
        tenant = self._stays["tenant"].iloc[of_staff].fillna("").astype("str").str.lower()
        ours = tenant.isin(["", self.settings.tenant_id.lower()]).to_numpy(bool)
        found = np.zeros(self.n, bool)
        found[self._stay_session[of_staff[ours]]] = True
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
        in_call = self.pupils[self.pupils["in_call"]].reset_index(drop=True)
        mine = np.flatnonzero(self._stay_pupil >= 0)
        row_of_stay = self._row_of_pupil(in_call, self._stay_session[mine], self._stay_pupil[mine])
        row_of_video, videos = self._videos_of(mine, row_of_stay)
        timed = (videos["started_at"].notna() & videos["ended_at"].notna()).to_numpy(bool)

        n = len(in_call)
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
        share = np.where(has_times, with_video / np.maximum(present, 1), np.nan)
        wanted = self.figure(lambda r: r.camera_share)[in_call["session"]]
        # An untimed stream beside a timed one may have filled what is missing: how long is not known.
        in_call["camera"] = np.select(
            [has_times & (share >= wanted), has_untimed, has_times], [ENOUGH, SENT, SHORT], default=UNKNOWN
        )
        in_call["share"] = np.where(in_call["camera"] == SENT, np.nan, share)
        return in_call

    def _row_of_pupil(self, in_call: pd.DataFrame, session: Ints, pupil: Ints) -> Ints:
        """The row of `in_call`, which is sorted by both, of each session and pupil."""
        width = int(pupil.max(initial=0)) + 1
        known = in_call["session"].to_numpy(np.int64) * width + in_call["pupil_id"].to_numpy(np.int64)
        return np.searchsorted(known, session * width + pupil)

    def _videos_of(self, stays: Ints, row_of_stay: Ints) -> tuple[Ints, pd.DataFrame]:
        """The videos sent by the people of some stays, and the stay's row for each."""
        videos = self.evidence.videos
        call = places(self._call_index, videos["call_id"])
        filmed = np.zeros(len(self._calls) + 1, bool)  # the last place: a call that is not here
        filmed[call] = True
        among = filmed[self._stay_call[stays]]
        stays, row_of_stay = stays[among], row_of_stay[among]
        people, _ = pd.factorize(np.concatenate([self._stays["person"].iloc[stays], videos["person"]]))
        width = int(people.max(initial=0)) + 1
        of_stay = pd.DataFrame({"key": self._stay_call[stays] * width + people[: len(stays)], "row": row_of_stay})
        of_video = pd.DataFrame({"key": call * width + people[len(stays) :], "video": np.arange(len(videos))})
        both = of_video[call >= 0].merge(of_stay.drop_duplicates(), on="key")
        return both["row"].to_numpy(np.int64), videos.iloc[both["video"]]

    def took_part(self) -> pd.DataFrame:
        """Roster staff in the session's calls: `session`, `staff_id`."""
        staff = self._stay_staff >= 0
        return distinct(
            pd.DataFrame({"session": self._stay_session[staff], "staff_id": self._stay_staff[staff]}),
            ["session", "staff_id"],
        )

    def invited_to_call(self) -> pd.DataFrame:
        """People on the call's own list: `session`, `staff_id` (-1: not staff on the roster)."""
        listed = self.evidence.listed
        frame = pd.DataFrame({"session": self.session_of_call(listed["call_id"]), "staff_id": ids(listed["staff_id"])})
        return frame[frame["session"] >= 0]

    def invited_in_log(self) -> pd.DataFrame:
        """People whom the log says were invited: `session`, `staff_id` (-1: not on the roster)."""
        invited = self.evidence.log_invited
        frame = pd.DataFrame({"session": self.session_of_log(invited["log_id"]), "staff_id": ids(invited["staff_id"])})
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
        names = self.pupils[["session", "pupil_id"]].assign(name=self.pupil_names())
        return stays.merge(names, on=["session", "pupil_id"])

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
            first, last = (np.datetime64(d, "D").view(np.int64) for d in (period.from_, period.to))
            remote |= (self.day >= first) & (self.day <= last)
        return (self.purpose == "pastoral") & one & remote

    @cached_property
    def confidential(self) -> Mask:
        """Counselling; whatever a counsellor logged that is plainly nothing else; and a call with a
        counsellor in it that is not logged and so may be counselling."""
        counsellor = self.staff.lists("roles", "counsellor")
        conducting = counsellor[self._staff_row]
        rows = np.flatnonzero((self._stay_staff >= 0) & ~self.logged[self._stay_session])
        session = self._stay_session[rows]
        present = np.zeros(self.n, bool)
        present[session[counsellor[self.staff.rows(self._stay_staff[rows], self.day[session])]]] = True
        plain = self.purpose.isin(["music", "academic", "pastoral"])
        return (self.purpose == "counselling") | (conducting & ~plain) | (~self.logged & present)

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
        session = both["session"].to_numpy(np.int64)
        start, end = self.start[session], self.end[session]
        fits = (micros(both["covers_from"]) <= start) & (micros(both["covers_to"]) >= end)
        fits &= both["obtained_at"].notna().to_numpy() & (micros(both["obtained_at"]) < start)
        fits &= both["withdrawn_at"].isna().to_numpy() | (micros(both["withdrawn_at"]) > start)
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
        pupil = ids(register["pupil_id"])
        mine = ids(self.pupils["pupil_id"])
        earliest = presence.first_of(max(pupil.max(initial=-1), mine.max(initial=-1)) + 1, pupil, sent)[mine]
        return earliest < self.day[self.pupils["session"]], earliest != presence.NEVER

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
        names = (
            pd.Series(self.pupil_names(np.flatnonzero(rows)))
            .groupby(self.pupils["session"].to_numpy()[rows])
            .agg(in_words)
        )
        return names.reindex(range(self.n)).fillna("").to_numpy(object)

    def at(self, times: Ints) -> pd.Series:
        """Times as read on the school's clock, "14:31:10", or "14:31" on the full minute."""
        clock = instants(times).dt.tz_convert(self.settings.timezone).dt.strftime("%H:%M:%S")
        return clock.str.replace(r"(?<=:\d\d):00$", "", regex=True)


def in_words(names: pd.Series) -> str:
    """Names joined as one says them: "Aled, Bethan and Carys"."""
    known = [str(n) for n in names.dropna()]
    return " and ".join(filter(None, [", ".join(known[:-1]), *known[-1:]]))
