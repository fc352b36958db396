"""The facts about sessions that clauses need: what calls, logs and registers show about each session."""

from datetime import time
from functools import cached_property

import numpy as np
import pandas as pd

from app.protocol import presence
from app.protocol.frames import NONE, Ints, Mask, Words, days_since_1970, flags, ids, instants, micros, paired
from app.protocol.matching import recorded_calls
from app.protocol.remote import find_concerned, is_remote
from app.protocol.room_facts import RoomFacts
from app.protocol.sessions import DAY, MINUTE, SECOND
from app.settings import WEEKDAYS, Slot
from app.vocabulary.roles import Role
from app.vocabulary.terms import LetterKind

# What a pupil's own video streams show about the camera: nothing; on for too short a time; on, for an unknown time; on
# for long enough.
UNKNOWN, SHORT, SENT, ENOUGH = range(4)


def clock_micros(clock: time) -> int:
    """A time of day as microseconds since midnight."""
    return ((clock.hour * 60 + clock.minute) * 60 + clock.second) * SECOND + clock.microsecond


def is_between(start: Ints, end: Ints, opens: time, closes: time) -> Mask:
    """Whether each period, in school time, lies between two times of day on the day on which it begins, ends
    included."""
    midnight = start // DAY * DAY
    return (start - midnight >= clock_micros(opens)) & (end - midnight <= clock_micros(closes))


class SessionFacts(RoomFacts):
    """Facts about the sessions. Unless stated otherwise, each is an array with one value per session."""

    # -- what the calls show ---------------------------------------------------------------------

    @cached_property
    def school_account(self) -> Mask:
        """Whether roster staff took part with an account in the school's tenant. An account without a tenant counts as
        the school's, because its id or address is on the roster."""
        with_account = self._is_staff & self.on_record.is_school_tenant(self._stays["tenant"])
        listed = self._listed[self._listed["staff_id"] != NONE]
        listed = listed[self.on_record.is_school_tenant(listed["tenant"])]
        return self.mask_of(np.append(self._stay_session[with_account], listed["session"]))

    @cached_property
    def hides_staff(self) -> Mask:
        """Whether the calls show nothing about staff: another organisation hosted the matched call, and no staff took
        part in any call of the session."""
        return self.from_call(self.on_record.is_elsewhere, blank=False) & ~self.mask_of(self.took_part()["session"])

    @cached_property
    def by_report(self) -> Mask:
        """Whether an attendance report is the source of any call of the session."""
        return self.mask_of(self.own_calls.loc[self.on_record.is_report[self.own_calls["call"]], "session"])

    @cached_property
    def _by_reports_alone(self) -> Mask:
        """Whether attendance reports, which do not show cameras, are the source of all calls of the session."""
        recorded = ~self.on_record.is_report[self.own_calls["call"]]
        return self.by_report & ~self.mask_of(self.own_calls.loc[recorded, "session"])

    @cached_property
    def recording_listed(self) -> Mask:
        """Whether Graph lists a recording of a call of the session."""
        return self.mask_of(self.own_calls["session"][self._is_recorded])

    @cached_property
    def _is_recorded(self) -> Mask:
        """For each of `own_calls`, whether Graph lists a recording of it."""
        is_recorded = recorded_calls(self.on_record.frame, self.evidence.recordings)
        return np.asarray(is_recorded[self.own_calls["call"]])

    @cached_property
    def was_recorded(self) -> Mask:
        """Whether Graph lists a recording of the session, or the log says that it was recorded."""
        return self.recording_listed | self.yes("recorded")

    @cached_property
    def in_channel(self) -> Mask:
        """Whether the recording was made in a channel meeting. If it is not known in which call it was made, whether
        all calls of the session were channel meetings."""
        elsewhere = ~flags(self.on_record.frame["channel"])[self.own_calls["call"]]
        # If any of several calls is listed as recorded, only those that are count.
        counts = self._is_recorded | ~self.recording_listed[self.own_calls["session"]]
        return self.has_call & ~self.mask_of(self.own_calls["session"][elsewhere & counts])

    @cached_property
    def cameras(self) -> pd.DataFrame:
        """One row for each pupil in a call: the columns of `pupils`, `camera` (UNKNOWN, SHORT, SENT or ENOUGH), and
        `least` and `most`: the shares of their time in the call for which the camera was certainly on and may have been
        on, by streams with times; NaN if there are none."""
        n, is_pupil = len(self.pupils), self._is_pupil
        row_of_stay = self._pupil_of(is_pupil)
        stays = self._stays.loc[is_pupil, ["call", "person"]].assign(row=row_of_stay)
        videos = self.evidence.videos.assign(call=self.on_record.index.get_indexer(self.evidence.videos["call_id"]))
        videos = videos.merge(stays.drop_duplicates(["call", "person"]), on=["call", "person"])
        timed = videos[videos["started_at"].notna()]
        in_call = row_of_stay, self._stay_from[is_pupil], self._stay_to[is_pupil]
        on = timed["row"].to_numpy(), micros(timed["started_at"]), micros(timed["ended_at"])
        present, with_video = presence.time_during(n, in_call, on)
        unknown = self._find_unknown_media(row_of_stay)
        open_rows = np.zeros(n, bool)
        open_rows[unknown[0]] = True
        in_call, on = (presence.select(intervals, open_rows) for intervals in (in_call, on))
        _, perhaps_with_video = presence.time_during(n, in_call, presence.join(on, unknown))
        perhaps_with_video[~open_rows] = with_video[~open_rows]
        has_times = np.isin(np.arange(n), timed["row"]) & (present > 0)
        least, most = np.full((2, n), np.nan)
        least[has_times] = with_video[has_times] / present[has_times]
        most[has_times] = perhaps_with_video[has_times] / present[has_times]
        required = self.setting(lambda r: r.camera_share)[self.pupils["session"]]
        camera = np.where(most < required, SHORT, UNKNOWN)
        # A stream without times may have filled the gaps between others, for an unknown time.
        camera[videos.loc[videos["started_at"].isna(), "row"]] = SENT
        camera[least >= required] = ENOUGH
        in_call = self.pupils["in_call"] & ~self._by_reports_alone[self.pupils["session"]]
        return self.pupils.assign(camera=camera, least=least, most=most)[in_call]

    def _find_unknown_media(self, row_of_stay: Ints) -> presence.Intervals:
        """The intervals in which nothing is known about a pupil's media, grouped by the row of `pupils`. In these the
        camera counts as neither on nor off. Left out are times at which another device of the pupil, whose media are
        known, was in the same call. `row_of_stay` has the row of `pupils` for each stay of a pupil."""
        has_media = flags(self._stays["has_media"], blank=True) & ~self.on_record.is_report[self._stay_call]
        pupil = self._is_pupil
        keys = paired(self._stay_call[pupil], row_of_stay)
        some = np.isin(keys, keys[~has_media[pupil]])
        of_call, keys = pd.factorize(keys[some])
        times = self._stay_from[pupil][some], self._stay_to[pupil][some]
        cut = presence.cut_into_segments(of_call, *times, has_media[pupil][some])
        unknown = cut.a & ~cut.b
        return keys[cut.group[unknown]] % 2**32, cut.start[unknown], cut.end[unknown]

    def took_part(self) -> pd.DataFrame:
        """One row for each time that roster staff took part in a call of a session: `session`, `staff_id`."""
        session = np.append(self._stay_session, self._listed["session"])
        staff_id = np.append(self._stay_staff, self._listed["staff_id"])
        return pd.DataFrame({"session": session, "staff_id": staff_id})[staff_id != NONE]

    def invited_by_calendar(self) -> pd.DataFrame:
        """The staff who were invited by calendar to the meetings of one-to-ones before these began: `session`,
        `staff_id` (NONE if no staff were invited to a meeting).

        A call's meeting is the event with the same join link, in its last version from before the session began. Of
        several, the one that overlaps the call longest counts, then the one with the nearest start. The gap between the
        two must be no longer than one between a log and its call may be."""
        calls, on_record = self.own_calls[self.one_to_one[self.own_calls["session"]]], self.on_record
        calls = calls.assign(join_key=on_record.frame["join_key"].to_numpy(object)[calls["call"]])
        both = calls.dropna(subset=["join_key"]).merge(self.evidence.calendar_events, on="join_key")
        if both.empty:
            return pd.DataFrame({"session": [], "staff_id": []}, dtype="int64")
        session, call = both["session"].to_numpy(), both["call"].to_numpy()
        both["changed"] = micros(both["changed_at"])
        before = both["changed"] < self.start[session]
        starts, ends = micros(both["starts_at"]), micros(both["ends_at"])
        call_start, call_end = on_record.start[call], on_record.end[call]
        overlap = np.minimum(ends, call_end) - np.maximum(starts, call_start)
        both["fits"] = overlap >= -self.setting(lambda r: int(r.match_minutes * MINUTE))[session]
        both["overlap"], both["apart"] = np.maximum(overlap, 0), np.abs(starts - call_start)
        events = both[before].sort_values("changed").drop_duplicates(["call", "event_key"], keep="last")
        order = ["overlap", "apart", "changed", "event_key"]
        events = events[events["fits"]].sort_values(order, ascending=[False, True, False, True])
        events = events.drop_duplicates("call")[["session", "event_id"]]
        people = events.merge(self.evidence.calendar_invited, on="event_id", how="left")
        return pd.DataFrame({"session": people["session"], "staff_id": ids(people["staff_id"])})

    def invited_by_log(self) -> pd.DataFrame:
        """The people who were invited according to the log: `session`, `staff_id` (NONE if not on the roster)."""
        invited = self.evidence.log_invited
        frame = pd.DataFrame({"session": self.session_of_log(invited["log_id"]), "staff_id": ids(invited["staff_id"])})
        return frame[frame["session"] != NONE]

    # -- what the session is ---------------------------------------------------------------------

    @cached_property
    def purpose(self) -> pd.Categorical:
        """The logged purpose; "" if the session was not logged."""
        return self.word("purpose")

    @cached_property
    def present(self) -> Mask:
        """For each row of `pupils`: whether the pupil was in the call or, if there is no call, is named in the log."""
        return np.asarray(self.pupils["in_call"] | ~self.has_call[self.pupils["session"]])

    @cached_property
    def _only_pupil(self) -> Ints:
        """The row of `pupils` of the only pupil in the call or, if there is no call, in the log; NONE if there were
        several pupils, or none."""
        rows = np.flatnonzero(self.present)
        session = self.pupils["session"].to_numpy()[rows]
        only = np.full(self.n, NONE)
        only[session] = rows
        return np.where(np.bincount(session, minlength=self.n) == 1, only, NONE)

    @cached_property
    def only_pupil_version(self) -> Ints:
        """The row of `pupil_versions` for the only pupil on the session's day; NONE if there is no only pupil."""
        return np.append(self.pupils["row"], NONE)[self._only_pupil]

    @cached_property
    def one_to_one(self) -> Mask:
        """Whether the purpose is `pastoral` and there was exactly one pupil (in the call or, if there is none, in the
        log), who was in remote learning."""
        sessions = np.flatnonzero((self.purpose == "pastoral") & (self._only_pupil != NONE))
        pupils = self.pupils["pupil_id"].to_numpy()[self._only_pupil[sessions]]
        periods, own = self.settings.remote_learning, self.evidence.remote_pupils
        remote = is_remote(periods, own, self.pupil_versions, pupils, self.day[sessions])
        return self.mask_of(sessions[remote])

    @cached_property
    def confidential(self) -> Mask:
        """Whether it is counselling, was logged by a counsellor without a purpose that is clearly another, or is a call
        with a counsellor in it, which may be counselling until it is logged. A log from a file counts once its author
        has confirmed it: whoever writes a file could otherwise name any call's pupils, and see who was in it."""
        counsellor, people = self.staff.lists("roles", Role.COUNSELLOR), self.took_part()
        rows = self.staff.rows(people["staff_id"].to_numpy(), self.day[people["session"]])
        has_counsellor = self.mask_of(people.loc[counsellor[rows], "session"])
        other_purpose = self.purpose.isin(["music", "academic", "pastoral"])
        by_counsellor = counsellor[self._staff_row] & ~other_purpose
        unconfirmed = self.from_log(flags(self._logs["unconfirmed"]), blank=True)
        return np.asarray((self.purpose == "counselling") | by_counsellor | (has_counsellor & unconfirmed))

    # -- hours -----------------------------------------------------------------------------------

    @cached_property
    def tuition_hours(self) -> Words:
        """The hours for academic tuition in force on the session's day, such as "08:30 to 17:30"."""
        return self.setting(lambda rules: " to ".join(f"{clock:%H:%M}" for clock in rules.academic_hours))

    def in_academic_hours(self, start: Ints, end: Ints) -> Mask:
        """Whether a period, in school time, lies within the academic hours of the session's day, ends included."""
        within = np.zeros(self.n, bool)
        for number, rules in enumerate(self.settings.rules):
            within |= (self.rule == number) & is_between(start, end, *rules.academic_hours)
        return within

    def in_slot(self, start: Ints, end: Ints) -> Mask:
        """Whether a period, in school time, lies within a slot for one-to-ones that is open to the session's pupil on
        that day."""
        day = start // DAY
        within = np.zeros(self.n, bool)
        for number, rules in enumerate(self.settings.rules):
            for slot in rules.one_to_one_slots:
                counts = (self.rule == number) & self._is_on(slot, day)
                counts &= find_concerned(self.pupil_versions, slot.schools, slot.years)[self.only_pupil_version]
                within |= counts & is_between(start, end, slot.from_, slot.to)
        return within

    def _is_on(self, slot: Slot, day: Ints) -> Mask:
        """Whether a slot is open on each day (days since 1970), by its weekdays and its week."""
        weekday = (day + 3) % 7  # 1 January 1970 was a Thursday
        on_weekday = np.isin(weekday, [WEEKDAYS.index(name) for name in slot.days])
        if slot.week is None:
            return on_weekday
        place, days = pd.factorize(day)
        in_week = [self.settings.week_on(each) == slot.week for each in days.view("datetime64[D]").tolist()]
        return np.asarray(on_weekday & np.array(in_week, bool)[place])

    # -- the registers ---------------------------------------------------------------------------

    def asks_for(self, kind: str) -> Mask:
        """For each row of `pupils`: whether the pupil needs a letter or consent of this kind. For the kind
        `one_to_one`, only the pupil in the call does."""
        return self.present if kind == LetterKind.ONE_TO_ONE else np.ones(len(self.pupils), bool)

    def consented(self, kind: str, sessions: Mask, pupils: Mask) -> tuple[Mask, Mask]:
        """For each session, whether it is one of the given sessions and all of its `pupils` (a mask of rows of
        `pupils`) have a consent; and for each row of `pupils`, whether the pupil has one or needs none.

        A consent counts if it is of the given kind, covers the session's time, and was given before the session began
        and not withdrawn before then. For `outside_hours`, SLT must also have been informed before the session began;
        for `one_to_one`, the consent must state a reason."""
        covered, session = ~pupils, self.pupils["session"].to_numpy()
        if sessions.any():
            covered |= self._has_consent(kind, sessions[session])
        return sessions & self.has_pupils & ~self.mask_of(session[~covered]), covered

    def _has_consent(self, kind: str, rows: Mask) -> Mask:
        """For each row of `pupils`, whether it is one of the given ones and the pupil has a consent, as `consented`
        says."""
        register = self.evidence.consents
        register = register[register["kind"] == kind]
        session = self.pupils["session"].to_numpy()
        asked = pd.DataFrame(
            {
                "pupil_id": self.pupils["pupil_id"],
                "start": instants(self.start[session]),
                "end": instants(self.end[session]),
            }
        )
        both = asked[rows].reset_index(names="row").merge(register, on="pupil_id")
        start = both["start"]
        fits = (both["covers_from"] <= start) & (both["covers_to"] >= both["end"])
        fits &= (both["obtained_at"] < start) & ~(both["withdrawn_at"] <= start)
        if kind == "outside_hours":
            fits &= both["slt_informed_at"] < start
        else:
            fits &= both["reason"].fillna("").str.strip() != ""
        return np.asarray(asked.index.isin(both.loc[fits, "row"]))

    @cached_property
    def has_pupils(self) -> Mask:
        """Whether a pupil of the session is known."""
        return self.mask_of(self.pupils["session"])

    def letters(self, kind: str) -> tuple[Mask, Mask]:
        """For each row of `pupils`: whether a letter of this kind is dated before the session's day, and whether there
        is any letter of this kind."""
        register = self.evidence.letters
        register = register[register["kind"] == kind]
        first = days_since_1970(register["sent_on"])
        first = pd.Series(first).groupby(ids(register["pupil_id"])).min().reindex(self.pupils["pupil_id"]).to_numpy()
        return first < self.day[self.pupils["session"]], ~np.isnan(first)

    def reported(self, *, home_alone: bool = False) -> Mask:
        """Whether a concern is linked to the session and a DSP of the pupil's school was alerted. With `home_alone`,
        only concerns that a child was home alone count."""
        concerns = self.evidence.concerns
        concerns = concerns[flags(concerns["alerted"]) & (flags(concerns["home_alone"]) | (not home_alone))]
        linked = np.append(self.session_of_log(concerns["log_id"]), self.session_of_call(concerns["call_id"]))
        return self.mask_of(linked[linked != NONE])

    # -- words -----------------------------------------------------------------------------------

    def names(self, rows: Mask, sessions: Ints) -> Words:
        """For each of the given sessions, the names of its pupils in the rows of `pupils` that the mask `rows` selects,
        as one text."""
        names = pd.Series(self.pupil_names(np.flatnonzero(rows))).groupby(self.pupils["session"].to_numpy()[rows])
        return np.asarray(names.agg(join_names).reindex(sessions).to_numpy(object))

    def clock_times(self, times: Ints) -> Words:
        """Times of day in school time: "14:31:10", or "14:31" on the full minute."""
        clock = instants(times).dt.tz_convert(self.settings.timezone).dt.strftime("%H:%M:%S")
        return np.asarray(clock.str.replace(r"(?<=:\d\d):00$", "", regex=True).to_numpy(object))


def join_names(names: pd.Series) -> str:
    """The names as one text: "Aled, Bethan and Carys"."""
    known = [str(n) for n in names.dropna()]
    return " and ".join(filter(None, [", ".join(known[:-1]), *known[-1:]]))
