"""What the calls of the sessions show of who opened and ended them, and when pupils were without staff."""

from functools import cached_property

import numpy as np
import pandas as pd

from app.protocol import presence
from app.protocol.frames import NONE, Ints, Mask
from app.protocol.rooms import number_rooms
from app.protocol.sessions import Sessions

_ANY_TIME = -(2**62)  # before all others


class RoomFacts(Sessions):
    """Facts about the rooms of the sessions. Unless stated otherwise, each is an array with one value per session.

    The calls of a session that overlap are different rooms; a peer-to-peer call is none. Rooms are numbered over all
    sessions, and the one that began first in a session has the session's own number.
    """

    # -- rooms -----------------------------------------------------------------------------------

    @cached_property
    def _in_session(self) -> pd.DataFrame:
        """The sessions' own calls: `session`, `call` (a position), `start`, `end`, `is_direct`, `shows_staff`,
        `with_staff`."""
        names = ("start", "end", "is_direct", "shows_staff", "with_staff")
        position = self.own_calls["call"].to_numpy()
        columns = {name: getattr(self.on_record, name)[position] for name in names}
        return self.own_calls[["session", "call"]].assign(**columns)

    @cached_property
    def _rooms(self) -> pd.DataFrame:
        """The calls that are in a room: the columns of `_in_session`, `room`."""
        calls = self._in_session[~self._in_session["is_direct"]]
        session = calls["session"].to_numpy()
        call_id = self.on_record.frame["call_id"].to_numpy(object)[calls["call"]]
        number = number_rooms(calls.assign(grace=self.grace[session], call_id=call_id))
        further = pd.MultiIndex.from_arrays([session[number > 0], number[number > 0]])
        room = session.copy()
        room[number > 0] = self.n + pd.factorize(further)[0]
        return calls.assign(room=room)

    @cached_property
    def _session_of_room(self) -> Ints:
        """The session of each room; of a session without rooms, too."""
        further = self._rooms[self._rooms["room"] >= self.n].drop_duplicates("room").sort_values("room")
        return np.append(np.arange(self.n), further["session"].to_numpy())

    @cached_property
    def _room_of_call(self) -> Ints:
        """The room of each call on record that shows staff; NONE of any other."""
        room = np.full(len(self.on_record.frame), NONE)
        shown = self._rooms[self._rooms["shows_staff"]]
        room[shown["call"]] = shown["room"]
        return room

    def _rooms_with(self, calls: pd.Series) -> Mask:
        """Whether each room has one of some rows of `_rooms`."""
        mask = np.zeros(len(self._session_of_room), bool)
        mask[self._rooms.loc[calls, "room"]] = True
        return mask

    def _rooms_with_listed(self, column: str) -> Mask:
        """Whether somebody with such an id took part in each room at unknown times."""
        room = self._room_of_call[self._listed["call"]]
        mask = np.zeros(len(self._session_of_room), bool)
        mask[room[(room != NONE) & (self._listed[column] != NONE)]] = True
        return mask

    def _spans(self, people: Mask) -> tuple[Ints, Ints]:
        """For each room, when the first of some people joined and the last one left; `people` marks stays."""
        room = self._room_of_call[self._stay_call]
        stays, n = people & (room != NONE), len(self._session_of_room)
        return (
            presence.first_of(n, room[stays], self._stay_from[stays]),
            presence.last_of(n, room[stays], self._stay_to[stays]),
        )

    @cached_property
    def staff_span(self) -> tuple[Ints, Ints]:
        """When the first member of staff joined and the last one left the room that began first."""
        return self._of_first_room(self._spans(self._is_staff))

    @cached_property
    def pupil_span(self) -> tuple[Ints, Ints]:
        """When the first pupil joined and the last one left the room that began first."""
        return self._of_first_room(self._spans(self._is_pupil))

    def _of_first_room(self, spans: tuple[Ints, Ints]) -> tuple[Ints, Ints]:
        return spans[0][: self.n], spans[1][: self.n]

    @cached_property
    def staff_without_times(self) -> Mask:
        """Whether staff were in the room that began first at unknown times: a pupil who seems to have been there before
        or after all staff may not have been."""
        return self._rooms_with_listed("staff_id")[: self.n]

    @cached_property
    def pupils_without_times(self) -> Mask:
        """Whether pupils were in the room that began first at unknown times: they may have been there before or after
        all staff."""
        return self._rooms_with_listed("pupil_id")[: self.n]

    # -- who opened it ---------------------------------------------------------------------------

    @cached_property
    def _began_with(self) -> pd.DataFrame:
        """The calls that each session began with: more than one only if they began together."""
        first = presence.first_of(self.n, self._in_session["session"].to_numpy(), self._in_session["start"].to_numpy())
        return self._in_session[self._in_session["start"] == first[self._in_session["session"]]]

    @cached_property
    def _first_leg(self) -> Mask:
        """Which stays are in the first leg of the peer-to-peer call that a session began with, if that shows staff."""
        began = self._began_with
        calls = began.loc[began["is_direct"] & began["shows_staff"], "call"]
        stays = np.isin(self._stay_call, calls)
        first = presence.first_of(self.n, self._stay_session[stays], self._stay_from[stays])
        return np.asarray(stays & (self._stay_from == first[self._stay_session]))

    def _called_first(self, people: Mask) -> Mask:
        return self.mask_of(self._stay_session[self._first_leg & people & self._stay_is_caller])

    @cached_property
    def staff_called_first(self) -> Mask:
        """Whether staff were the caller of the first leg of a peer-to-peer call, whoever called back later."""
        return self._called_first(self._is_staff)

    @cached_property
    def pupil_called_first(self) -> Mask:
        """Whether a pupil was the caller of the first leg of a peer-to-peer call, whoever called back later."""
        return self._called_first(self._is_pupil)

    @cached_property
    def shows_beginning(self) -> Mask:
        """Whether the room that began first shows when staff and pupils came, as far as times are known, and no other
        call began the session."""
        began = self._began_with
        otherwise = self.mask_of(began.loc[began["is_direct"] | ~began["shows_staff"], "session"])
        return np.asarray((self.staff_span[0] != presence.NEVER) & ~otherwise)

    @cached_property
    def no_staff_came(self) -> Mask:
        """Whether the session's calls show that no staff took part in any of them, or it is a room without staff that
        nobody logged."""
        may_have = self._in_session["with_staff"] | ~self._in_session["shows_staff"]
        return self.has_call & ~self.mask_of(self._in_session.loc[may_have, "session"]) | self.unattended

    @cached_property
    def with_unidentified(self) -> Mask:
        """Whether somebody unidentified took part in one of the session's calls."""
        return self.mask_of(self.own_calls.loc[self.on_record.with_unidentified[self.own_calls["call"]], "session"])

    # -- who ended it ----------------------------------------------------------------------------

    @cached_property
    def shows_end(self) -> Mask:
        """Whether the room that began first shows when staff and pupils left, as far as times are known, and no
        peer-to-peer call came after it: that does not show who ended it."""
        of_first = self._rooms[self._rooms["room"] < self.n]
        ended = presence.last_of(self.n, of_first["session"].to_numpy(), of_first["end"].to_numpy())
        calls = pd.concat([of_first[~of_first["shows_staff"]], self._in_session[self._in_session["is_direct"]]])
        otherwise = self.mask_of(calls.loc[calls["end"] >= ended[calls["session"]], "session"])
        return np.asarray((self.staff_span[0] != presence.NEVER) & ~otherwise)

    # -- pupils alone ----------------------------------------------------------------------------

    @cached_property
    def _without_staff(self) -> presence.Stretches:
        """The stretches of each room longer than grace with a pupil and without staff, after the first member of staff
        joined. Staff whose times are unknown may have joined at any time."""
        room = self._room_of_call[self._stay_call]
        stays = (room != NONE) & (self._is_staff | self._is_pupil)
        came = self._spans(self._is_staff)[0]
        came[self._rooms_with_listed("staff_id")] = _ANY_TIME
        found = presence.find_without_staff(
            came, room[stays], self._stay_from[stays], self._stay_to[stays], self._is_staff[stays]
        )
        long = found.end - found.start > self.grace[self._session_of_room[found.group]]
        return presence.Stretches(found.group[long], found.start[long], found.end[long])

    @cached_property
    def alone(self) -> pd.DataFrame:
        """Stretches in which pupils were without staff, and surely so: `session`, `start`, `end`, `room` of those in a
        room to which staff came; of any other `call` (a position) and `after`, whether it was after the session. NONE
        where there is none."""
        of_rooms = self._without_staff
        sure = ~self._rooms_with_listed("staff_id")[of_rooms.group]
        stretches = pd.DataFrame(
            {
                "session": self._session_of_room[of_rooms.group[sure]],
                "start": of_rooms.start[sure],
                "end": of_rooms.end[sure],
                "room": of_rooms.group[sure],
                "call": NONE,
                "after": False,
            }
        )
        whole = pd.concat([stretches, self._unattended_calls()], ignore_index=True)
        return whole.sort_values(["session", "start", "room", "call"], ignore_index=True)

    def _unattended_calls(self) -> pd.DataFrame:
        """The calls to which no staff came, as rows of `alone`: from the first pupil's join to the last one's leaving,
        else for as long as the call lasted."""
        rooms, on_record = self._rooms, self.on_record
        staffed = self._rooms_with(rooms["with_staff"] | ~rooms["shows_staff"])
        alone = rooms[~staffed[rooms["room"]] | self.unattended[rooms["session"]]]
        calls = pd.concat(
            [alone[["session", "call"]].assign(after=False), self.rooms_after[["session", "call"]].assign(after=True)],
            ignore_index=True,
        )
        call, n = calls["call"].to_numpy(), len(on_record.frame)
        stays = on_record.stays[on_record.stays["call"].isin(call) & (on_record.stays["pupil_id"] != NONE)]
        of_stay = stays["call"].to_numpy()
        first = presence.first_of(n, of_stay, stays["start"].to_numpy())[call]
        last = presence.last_of(n, of_stay, stays["end"].to_numpy())[call]
        known = first != presence.NEVER
        start, end = np.where(known, first, on_record.start[call]), np.where(known, last, on_record.end[call])
        return calls.assign(start=start, end=end, room=NONE)

    @cached_property
    def shows_throughout(self) -> Mask:
        """Whether the session's calls show that no pupil was alone, whenever those were there whose times are
        unknown."""
        unknown = self._session_of_room[self._rooms_with_listed("pupil_id")]
        possible = self._session_of_room[self._without_staff.group]
        hidden = self._in_session.loc[~self._in_session["shows_staff"], "session"]
        return self.has_call & ~self.mask_of(np.concatenate([unknown, possible, hidden]))

    def pupils_alone(self) -> pd.DataFrame:
        """The pupils of each row of `alone`, each once: `stretch` (its position), `pupil_id`."""
        stretches = self.alone.reset_index(names="stretch")
        room = self._room_of_call[self._stay_call]
        stays = self._is_pupil & np.isin(room, stretches["room"][stretches["room"] != NONE])
        columns = {"room": room, "pupil_id": self._stay_pupil, "from": self._stay_from, "to": self._stay_to}
        in_room = stretches.merge(pd.DataFrame({name: values[stays] for name, values in columns.items()}), on="room")
        in_room = in_room[(in_room["from"] < in_room["end"]) & (in_room["to"] > in_room["start"])]
        people = self.on_record.people
        in_call = stretches[stretches["call"] != NONE].merge(people[people["pupil_id"] != NONE], on="call")
        both = pd.concat([in_room[["stretch", "pupil_id"]], in_call[["stretch", "pupil_id"]]])
        return both.drop_duplicates().sort_values(["stretch", "pupil_id"], ignore_index=True)
