"""A slow, plain reference of the rules, and random evidence on which the program is compared with it.

The reference was written from the meaning of the protocol, not from the program, and knows of the program only its
evidence and its settings. Where the meaning leaves something open, it reads:

Matching
- `match_minutes` are those of the day on which the log starts; calls and logs that only touch overlap by nothing.
- A further call joins if the log overlaps it, it is at most `match_minutes` from a call of the session, everybody in it
  who is on the roster was in the matched call or is logged, and the logging member of staff was in both or in neither,
  or one of them is a room without staff.
- Logs are matched first; a room without staff that no log matches belongs to the session of the earlier call with its
  link, even if it could join a log. That call may itself be a room without staff.
- An attendance report covers the meeting of a call record if their times overlap and either the join link is the same
  or the organiser is and a pupil is shared. The record with the longest overlap has it.

What the calls show
- Somebody unidentified is anybody who is neither staff nor pupil on the roster.
- A session with a room is judged in it. Besides, a pupil who rang before it opened the session; and if a peer-to-peer
  call ended after it, or at the same moment, only a breach in the room counts: who ended that call is for the log.
- A session of peer-to-peer calls alone is judged by the caller of the first leg. If that caller is not on the roster,
  or somebody's times are unknown, the log decides.
- Staff without times were there at some time of their call; such a pupil may have been in the room at any time, since
  a record that lacks their times may end before they left.
- If no staff were in any call of a session and everybody was identified, staff did not open it.
- Calls of which nobody can say who was staff (hosted elsewhere, or an unidentified person instead of staff) count as
  if staff could have been there all the time.
- A concern linked to any call or log of a session is linked to it.

The clauses
- `parents-told` and consents outside the hours ask for every pupil in the call or in the log; one-to-ones for the one.
- Staff known by the roster use the school's account unless the record names another tenant. If another organisation
  hosted the matched call, that no staff were in it shows nothing.
- `recording-on-team` asks for the calls that are listed as recorded, else for all of the session.
- A recording without a call's id belongs to a call of its organiser that was going on when it was created.
- A video of unknown length and one with times that are not enough: it is not known how long the camera was on.
- Of somebody who was in the call for no time at all, nothing is known of the camera.
- Attendance reports never have cameras, so a log that says they were on is disputed by call records only.
- A consent that was withdrawn after the session began still covered it.
- A period of remote learning covers a pupil who is in one of its schools, one of its years and one of its houses, of
  whichever it names; a slot likewise. Both ask for the pupil as on the session's day; "9" and "Year 9" are the same.
- A slot of weeks A or B never counts outside the terms.
- The log disputes the hours if its own times, on its own day, say the opposite.
- HOYs and HMs count for pupils of their own school. Staff without a pastoral role have to invite as tutors do.
- A calendar's event fits a call as a log does: they overlap or are at most `match_minutes` apart. Of several, that with
  the longest overlap counts, then the nearest start, then the one that was changed last.
"""
