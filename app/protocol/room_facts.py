"""What the sessions' calls show about who opened and ended them, and when pupils were without staff."""

from functools import cached_property

import numpy as np
import pandas as pd

from app.protocol import presence
from app.protocol.frames import NONE, Ints, Mask
from app.protocol.rooms import number_rooms
from app.protocol.sessions import Sessions


class RoomFacts(Sessions):
    """Facts about the rooms of the sessions. Unless stated otherwise, each is an array with one value per session.

    Calls of a session that overlap are different rooms; a peer-to-peer call is not a room. Rooms are numbered across
    all sessions, and the room that began first in a session has the session's own number.

    Staff who took part in a call at unknown times were there at some time during the call. Pupils who did may have been
    in its room at any time, even later: a record that lacks their times may end before they left. In a call that does
    not show staff, staff may have been present at any time during the call.
    """

    # -- rooms -----------------------------------------------------------------------------------

    @cached_property
    def _in_session(self) -> pd.DataFrame:
        """The sessions' own calls: `session`, `call` (a position), `call_id`, `start`, `end`, `is_direct`,
        `shows_staff`, `with_staff`."""
        names = ("start", "end", "is_direct", "shows_staff", "with_staff")
        position = self.own_calls["call"].to_numpy()
        columns = {name: getattr(self.on_record, name)[position] for name in names}
        call_id = self.on_record.frame["call_id"].to_numpy(object)[position]
        return self.own_calls[["session", "call"]].assign(call_id=call_id, **columns)

    @cached_property
    def _rooms(self) -> pd.DataFrame:
        """The calls that are in a room: the columns of `_in_session`, and `room`."""
        calls = self._in_session[~self._in_session["is_direct"]]
        session = calls["session"].to_numpy()
        number = number_rooms(calls.assign(grace=self.grace[session]))
        further = pd.MultiIndex.from_arrays([session[number > 0], number[number > 0]])
        room = session.copy()
        room[number > 0] = self.n + pd.factorize(further)[0]
        return calls.assign(room=room)

    @cached_property
    def _session_of_room(self) -> Ints:
        """The session of each room number; the first `n` are the sessions themselves, even those without rooms."""
        further = self._rooms[self._rooms["room"] >= self.n].drop_duplicates("room").sort_values("room")
        return np.append(np.arange(self.n), further["session"].to_numpy())

    @cached_property
    def _room_of_call(self) -> Ints:
        """The room of each call on record; NONE if it is not in a room of a session."""
        room = np.full(len(self.on_record.frame), NONE)
        room[self._rooms["call"]] = self._rooms["room"]
        return room

    def _mask_of_rooms(self, rooms: Ints | pd.Series) -> Mask:
        """Whether each room is among the given numbers."""
        mask = np.zeros(len(self._session_of_room), bool)
        mask[rooms] = True
        return mask

    # -- who was in them -------------------------------------------------------------------------

    @cached_property
    def _people(self) -> pd.DataFrame:
        """The stays of pupils in rooms, and of staff if the call shows staff: `room`, `start`, `end`, `is_staff`."""
        room, shows_staff = self._room_of_call[self._stay_call], self.on_record.shows_staff[self._stay_call]
        stays = (room != NONE) & (self._is_pupil | (self._is_staff & shows_staff))
        columns = {"room": room, "start": self._stay_from, "end": self._stay_to, "is_staff": self._is_staff}
        return pd.DataFrame({name: values[stays] for name, values in columns.items()})

    @cached_property
    def _listed_in_rooms(self) -> pd.DataFrame:
        """The people who took part in the rooms' calls at unknown times: the columns of `_rooms`, `staff_id`,
        `pupil_id`."""
        return self._rooms.merge(self._listed[["call", "staff_id", "pupil_id"]], on="call")

    @cached_property
    def _listed_staff(self) -> pd.DataFrame:
        """The rows of `_listed_in_rooms` that are staff, of calls that show staff."""
        listed = self._listed_in_rooms
        return listed[listed["shows_staff"] & (listed["staff_id"] != NONE)]

    @cached_property
    def _possible_staff(self) -> pd.DataFrame:
        """When staff may have been in rooms, besides the times that are known: `room`, `start`, `end`, `is_staff`."""
        calls = pd.concat([self._listed_staff, self._rooms[~self._rooms["shows_staff"]]])
        return calls[["room", "start", "end"]].assign(is_staff=True)

    def _spans(self, *people: pd.DataFrame) -> tuple[Ints, Ints]:
        """For each room, when the first of the people joined and the last one left."""
        whole, n = pd.concat(people), len(self._session_of_room)
        room = whole["room"].to_numpy()
        first = presence.first_of(n, room, whole["start"].to_numpy())
        return first, presence.last_of(n, room, whole["end"].to_numpy())

    def _of_first_room(self, spans: tuple[Ints, Ints]) -> tuple[Ints, Ints]:
        return spans[0][: self.n], spans[1][: self.n]

    @cached_property
    def _known_staff(self) -> pd.DataFrame:
        return self._people[self._people["is_staff"]]

    @cached_property
    def staff_span(self) -> tuple[Ints, Ints]:
        """When the first member of staff joined the room that began first, and the last one left it, as far as
        known."""
        return self._of_first_room(self._spans(self._known_staff))

    @cached_property
    def possible_staff_span(self) -> tuple[Ints, Ints]:
        """The earliest time at which staff may have joined the room that began first, and the latest at which they may
        have left it."""
        return self._of_first_room(self._spans(self._known_staff, self._possible_staff))

    @cached_property
    def pupil_span(self) -> tuple[Ints, Ints]:
        """When the first pupil joined the room that began first, and the last one left it."""
        return self._of_first_room(self._spans(self._people[~self._people["is_staff"]]))

    @cached_property
    def staff_came(self) -> Mask:
        """Whether the room that began first shows that staff took part in it, at known times or not."""
        return self._mask_of_rooms(pd.concat([self._known_staff["room"], self._listed_staff["room"]]))[: self.n]

    @cached_property
    def pupils_without_times(self) -> Mask:
        """Whether pupils were in the room that began first at unknown times."""
        return self._mask_of_rooms(self._with_listed_pupils)[: self.n]

    @cached_property
    def _with_listed_pupils(self) -> pd.Series:
        """The rooms in which pupils took part at unknown times."""
        return self._listed_in_rooms.loc[self._listed_in_rooms["pupil_id"] != NONE, "room"]

    # -- who opened it ---------------------------------------------------------------------------

    @cached_property
    def _first_leg(self) -> Mask:
        """For each stay, whether it is in the first leg of a session that began with a peer-to-peer call, before any
        room; false if the call does not show staff, or not everybody's times are known."""
        calls = self._in_session
        calls = calls[calls["session"].isin(calls.loc[calls["is_direct"], "session"])]
        calls = calls.sort_values(["start", "is_direct", "call_id"], ascending=[True, False, True])
        first = calls.drop_duplicates("session")
        shown = first["is_direct"] & first["shows_staff"] & ~first["call"].isin(self._listed["call"])
        stays = np.isin(self._stay_call, first.loc[shown, "call"])
        began = presence.first_of(self.n, self._stay_session[stays], self._stay_from[stays])
        return np.asarray(stays & (self._stay_from == began[self._stay_session]))

    def _called_first(self, people: Mask) -> Mask:
        return self.mask_of(self._stay_session[self._first_leg & people & self._stay_is_caller])

    @cached_property
    def staff_called_first(self) -> Mask:
        """Whether the session consists only of peer-to-peer calls and staff were the caller of the first leg, whoever
        called back later."""
        return self._called_first(self._is_staff) & ~self.mask_of(self._rooms["session"])

    @cached_property
    def pupil_called_first(self) -> Mask:
        """Whether the session began with a peer-to-peer call and a pupil was the caller of its first leg, whoever
        called back or opened a meeting later."""
        return self._called_first(self._is_pupil)

    @cached_property
    def no_staff_came(self) -> Mask:
        """Whether the session's calls show that no staff took part in any of them, or it is an unlogged room without
        staff."""
        may_have = self._in_session["with_staff"] | ~self._in_session["shows_staff"]
        return self.has_call & ~self.mask_of(self._in_session.loc[may_have, "session"]) | self.unattended

    @cached_property
    def with_unidentified(self) -> Mask:
        """Whether somebody unidentified took part in one of the session's calls."""
        return self.mask_of(self.own_calls.loc[self.on_record.with_unidentified[self.own_calls["call"]], "session"])

    # -- who ended it ----------------------------------------------------------------------------

    @cached_property
    def ended_directly(self) -> Mask:
        """Whether a peer-to-peer call lasted until the end of the room that began first, or longer; such a call does
        not show who ended it."""
        in_first, calls = self._rooms[self._rooms["room"] < self.n], self._in_session
        ended = presence.last_of(self.n, in_first["session"].to_numpy(), in_first["end"].to_numpy())
        return self.mask_of(calls.loc[calls["is_direct"] & (calls["end"] >= ended[calls["session"]]), "session"])

    # -- pupils alone ----------------------------------------------------------------------------

    def _find_alone(self, came: Ints, people: pd.DataFrame) -> pd.DataFrame:
        """The stretches, longer than the grace, in which a pupil but none of the staff in `people` was in a room, after
        `came` (a time for each room): `room`, `session`, `start`, `end`."""
        columns = [people[name].to_numpy() for name in ("room", "start", "end", "is_staff")]
        found = presence.find_without_staff(came, *columns)
        session = self._session_of_room[found.group]
        stretches = {"room": found.group, "session": session, "start": found.start, "end": found.end}
        return pd.DataFrame(stretches)[found.end - found.start > self.grace[session]]

    @cached_property
    def _surely_alone(self) -> pd.DataFrame:
        """The stretches in which pupils were certainly without staff in a room, after the first member of staff joined:
        staff at unknown times count as present throughout the call."""
        came = self._spans(self._known_staff)[0]
        np.minimum.at(came, self._listed_staff["room"].to_numpy(), self._listed_staff["end"].to_numpy())
        return self._find_alone(came, pd.concat([self._people, self._possible_staff]))

    @cached_property
    def _perhaps_alone(self) -> pd.DataFrame:
        """The stretches in which pupils may have been without staff, in rooms with staff at unknown times: these staff
        count as having joined at the start of the call, and as absent afterwards."""
        rooms = self._mask_of_rooms(self._listed_staff["room"])
        came = np.where(rooms, self._spans(self._known_staff, self._possible_staff)[0], presence.NEVER)
        return self._find_alone(came, self._people[rooms[self._people["room"]]])

    @cached_property
    def alone(self) -> pd.DataFrame:
        """The stretches in which pupils were certainly without staff: `session`, `start`, `end`; `room` if staff came
        to the room, else NONE; `call` (a position) if no staff came to the call, else NONE; and `after`, whether that
        call was after the session."""
        stretches = self._surely_alone.assign(call=NONE, after=False)
        whole = pd.concat([stretches, self._unattended_calls()], ignore_index=True)
        return whole.sort_values(["session", "start", "room", "call"], ignore_index=True)

    def _unattended_calls(self) -> pd.DataFrame:
        """The calls to which no staff came, as rows of `alone`: from the first pupil's joining to the last one's
        leaving or, if these are unknown, for as long as the call lasted."""
        rooms, on_record = self._rooms, self.on_record
        staffed = self._mask_of_rooms(rooms.loc[rooms["with_staff"] | ~rooms["shows_staff"], "room"])
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
        """Whether the session's calls show that no pupil was ever alone, whatever the unknown times were."""
        unknown = self._session_of_room[self._with_listed_pupils]
        hidden = self._in_session.loc[~self._in_session["shows_staff"], "session"]
        alone = [stretches["session"] for stretches in (self._surely_alone, self._perhaps_alone)]
        return self.has_call & ~self.mask_of(np.concatenate([unknown, hidden, *alone]))

    def pupils_alone(self) -> pd.DataFrame:
        """The pupils of each row of `alone`, without repeats: `stretch` (the position of the row), `pupil_id`."""
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
