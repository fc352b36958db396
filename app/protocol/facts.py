"""Everything that the clauses ask about the sessions: what calls, logs and registers show of each."""

from datetime import time
from functools import cached_property

import numpy as np
import pandas as pd

from app.protocol import presence
from app.protocol.frames import NONE, Ints, days_since_1970, flags, found_in, ids, instants, micros, paired, places
from app.protocol.matching import recorded_calls
from app.protocol.outcomes import Mask, Words
from app.protocol.sessions import DAY, SECOND, Sessions
from app.settings import WEEKDAYS, Slot

# What a pupil's own video streams show of the camera.
UNKNOWN, SHORT, SENT, ENOUGH = range(4)


def clock_micros(clock: time) -> int:
    """A time of day as microseconds since midnight."""
    return ((clock.hour * 60 + clock.minute) * 60 + clock.second) * SECOND + clock.microsecond


class SessionFacts(Sessions):
    """Facts about the sessions. Unless something else is said, each is an array with one value a session."""

    # -- what the call shows ---------------------------------------------------------------------

    @cached_property
    def shows_staff(self) -> Mask:
        """Whether a call of the session shows when staff and pupils joined and left."""
        return self.mask_of(self._stay_session[self._stay_shows_staff])

    def _span(self, of: Mask) -> tuple[Ints, Ints]:
        rows = of & self._stay_shows_staff
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
    def _shown_span(self) -> tuple[Ints, Ints]:
        """When the calls that show staff began and ended."""
        return self._span(np.ones(len(self._stays), bool))

    @cached_property
    def _unshown_span(self) -> tuple[Ints, Ints]:
        """When the calls that do not show staff began and ended."""
        session = self._stay_session[~self._stay_shows_staff]
        return (
            presence.first_of(self.n, session, self._stay_from[~self._stay_shows_staff]),
            presence.last_of(self.n, session, self._stay_to[~self._stay_shows_staff]),
        )

    @cached_property
    def shows_beginning(self) -> Mask:
        """Whether the call that the session began with shows who opened it. A later one cannot."""
        return self.shows_staff & (self._shown_span[0] <= self._unshown_span[0])

    @cached_property
    def shows_end(self) -> Mask:
        """Whether the call that the session ended with shows when staff and pupils left. An earlier one cannot."""
        return self.shows_staff & (self._shown_span[1] >= self._unshown_span[1])

    @cached_property
    def shows_throughout(self) -> Mask:
        """Whether every call of the session shows when staff and pupils joined and left."""
        return self.shows_staff & ~self.mask_of(self._stay_session[~self._stay_shows_staff])

    @cached_property
    def _in_direct_call(self) -> Mask:
        """Which stays are in a peer-to-peer call."""
        return np.asarray((self._calls["type"] == "peerToPeer").to_numpy()[self._stay_call])

    @cached_property
    def _first_leg(self) -> Mask:
        """Which stays are in the leg of a peer-to-peer call that the session began with."""
        began = self._stay_from == self._shown_span[0][self._stay_session]
        return np.asarray(self._stay_shows_staff & self._in_direct_call & began)

    @cached_property
    def began_as_direct_call(self) -> Mask:
        """Whether the session began with a peer-to-peer call."""
        return self.mask_of(self._stay_session[self._first_leg])

    @cached_property
    def ended_as_direct_call(self) -> Mask:
        """Whether the session ended with a peer-to-peer call, which does not show who ended it."""
        ended = self._stay_to == self._shown_span[1][self._stay_session]
        return self.mask_of(self._stay_session[self._stay_shows_staff & self._in_direct_call & ended])

    def _called_first(self, who: Mask) -> Mask:
        return self.mask_of(self._stay_session[self._first_leg & who & flags(self._stays["caller"])])

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
        """The stretches longer than grace with a pupil and without staff, after the first member of staff joined."""
        rows = self._stay_shows_staff & (self._is_staff | self._is_pupil)
        found = presence.alone(
            self.n, self._stay_session[rows], self._stay_from[rows], self._stay_to[rows], self._is_staff[rows]
        )
        long = found.end - found.start > self.grace[found.group]
        return presence.Stretches(found.group[long], found.start[long], found.end[long])

    @cached_property
    def school_account(self) -> Mask:
        """Whether roster staff took part with an account of the school's tenant. An account without a tenant is
        the school's, because the roster knew it by an id or an address of the school's."""
        return self.mask_of(self._stay_session[self._is_staff & self._is_school_tenant(self._stays["tenant"])])

    @cached_property
    def recording_listed(self) -> Mask:
        """Whether Graph lists a recording of a call of the session."""
        listed = recorded_calls(self._calls, self.evidence.recordings)[self.calls["call"]]
        return self.mask_of(self.calls["session"][listed])

    @cached_property
    def in_channel(self) -> Mask:
        """Whether all calls of the session were channel meetings."""
        is_channel = flags(self._calls["channel"])[self.calls["call"]]
        return np.asarray(self.has_call & ~self.mask_of(self.calls["session"][~is_channel]))

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
        counted = has_times[row_of_stay]  # only they have a share to work out
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
        # A stream without times, beside one with times, may have filled the gaps: how long is not known.
        camera[has_untimed] = SENT
        camera[share >= self.setting(lambda r: r.camera_share)[self.pupils["session"]]] = ENOUGH
        return self.pupils.assign(camera=camera, share=share)[self.pupils["in_call"]]

    def _videos_of(self, stays: Ints, row_of_stay: Ints) -> tuple[Ints, pd.DataFrame]:
        """The videos sent by the people of some stays, and for each the row of `pupils`."""
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

    def listed_in_call(self) -> pd.DataFrame:
        """People on the call's own list: `session`, `staff_id` (NONE: not staff on the roster)."""
        listed = self.evidence.listed
        frame = pd.DataFrame({"session": self.session_of_call(listed["call_id"]), "staff_id": ids(listed["staff_id"])})
        return frame[frame["session"] != NONE]

    def invited_by_log(self) -> pd.DataFrame:
        """People whom the log says were invited: `session`, `staff_id` (NONE: not on the roster)."""
        invited = self.evidence.log_invited
        frame = pd.DataFrame({"session": self.session_of_log(invited["log_id"]), "staff_id": ids(invited["staff_id"])})
        return frame[frame["session"] != NONE]

    def pupil_stays(self) -> pd.DataFrame:
        """The pupils' stays in calls that show staff: `session`, `pupil_id`, `name`, `start`, `end`."""
        stays = np.flatnonzero(self._stay_shows_staff & self._is_pupil)
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
        return np.asarray((self.purpose == "pastoral") & one & remote)

    @cached_property
    def confidential(self) -> Mask:
        """Counselling; whatever a counsellor logged without a purpose that is plainly another; and an unlogged call
        with a counsellor in it, which may be counselling."""
        counsellor = self.staff.lists("roles", "counsellor")
        conducting = counsellor[self._staff_row]
        rows = np.flatnonzero(self._is_staff & ~self.logged[self._stay_session])
        session = self._stay_session[rows]
        present = self.mask_of(session[counsellor[self.staff.rows(self._stay_staff[rows], self.day[session])]])
        other_purpose = self.purpose.isin(["music", "academic", "pastoral"])
        return np.asarray((self.purpose == "counselling") | (conducting & ~other_purpose) | present)

    # -- hours -----------------------------------------------------------------------------------

    def _is_between(self, start: Ints, end: Ints, opens: Ints, closes: Ints) -> Mask:
        midnight = start // DAY * DAY
        return (start - midnight >= opens) & (end - midnight <= closes)

    def in_academic_hours(self, start: Ints, end: Ints) -> Mask:
        """Whether a school time lies within the academic hours of the session's day, ends included."""
        opens = self.setting(lambda r: clock_micros(r.academic_hours[0]))
        closes = self.setting(lambda r: clock_micros(r.academic_hours[1]))
        return self._is_between(start, end, opens, closes)

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
        return on & self._is_between(start, end, opens, closes)

    # -- the registers ---------------------------------------------------------------------------

    def consented(self, kind: str, wanted: Mask) -> tuple[Mask, Mask]:
        """Whether every pupil of the wanted sessions has a consent (one value a session), and which pupils have one
        (one value a row of `pupils`).

        The consent is of the given kind, covers the session's time, was given before it began and was not
        withdrawn before that. For `outside_hours` SLT was informed before it began; for `one_to_one` the consent
        states a reason."""
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
        return wanted & self.has_pupils & ~self.mask_of(self.pupils["session"][~covered]), covered

    @cached_property
    def has_pupils(self) -> Mask:
        """Whether a pupil of the session is known."""
        return self.mask_of(self.pupils["session"])

    def letters(self, kind: str) -> tuple[Mask, Mask]:
        """For each row of `pupils`: whether a letter of that kind is dated before the session's day,
        and whether there is any at all."""
        register = self.evidence.letters
        register = register[register["kind"] == kind]
        first = days_since_1970(register["sent_on"])
        first = pd.Series(first).groupby(ids(register["pupil_id"])).min().reindex(self.pupils["pupil_id"]).to_numpy()
        return first < self.day[self.pupils["session"]], ~np.isnan(first)

    def reported(self, *, home_alone: bool = False) -> Mask:
        """Whether a concern is linked to the session and a DSP of the pupil's school was alerted. `home_alone`: only
        concerns that a child was home alone count."""
        concerns = self.evidence.concerns
        counted = flags(concerns["alerted"])
        if home_alone:
            counted = counted & flags(concerns["home_alone"])
        concerns = concerns[counted]
        linked = np.append(self.session_of_log(concerns["log_id"]), self.session_of_call(concerns["call_id"]))
        return self.mask_of(linked[linked != NONE])

    # -- words -----------------------------------------------------------------------------------

    def names(self, rows: Mask, sessions: Ints) -> Words:
        """The names of the pupils in the given rows of `pupils`, as one text for each of the given sessions."""
        names = pd.Series(self.pupil_names(np.flatnonzero(rows))).groupby(self.pupils["session"].to_numpy()[rows])
        return np.asarray(names.agg(join_names).reindex(sessions).to_numpy(object))

    def clock_times(self, times: Ints) -> Words:
        """Times on the school's clock: "14:31:10", or "14:31" on the full minute."""
        clock = instants(times).dt.tz_convert(self.settings.timezone).dt.strftime("%H:%M:%S")
        return np.asarray(clock.str.replace(r"(?<=:\d\d):00$", "", regex=True).to_numpy(object))


def join_names(names: pd.Series) -> str:
    """Names as people say them: "Aled, Bethan and Carys"."""
    known = [str(n) for n in names.dropna()]
    return " and ".join(filter(None, [", ".join(known[:-1]), *known[-1:]]))
