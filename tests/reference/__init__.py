"""A slow, plain reference of the rules, and random evidence on which the program is compared with it.

The reference was written from the meaning of the protocol, not from the program, and uses only the program's evidence
and settings. Where the meaning leaves something open, it decides:

Matching
- `match_minutes` is that of the day on which the log starts. Calls and logs that only touch do not overlap.
- A further call joins a session if the log overlaps it, it is at most `match_minutes` from a call of the session,
  everybody in it who is on the roster was in the matched call or is in the log, and the member of staff who logged was
  in both or in neither, or one of them is a room without staff.
- Logs are matched first. A room without staff that no log matches belongs to the session of the earlier call with its
  link, even if it could join a log. That call may itself be a room without staff.
- An attendance report covers the meeting of a call record if their times overlap and they have the same join link, or
  the same organiser and a pupil in common. Of several records, it belongs to the one with the longest overlap.

What the calls show
- An unidentified person is anybody who is neither staff nor a pupil on the roster.
- A session with a room is judged by the room. In addition, a pupil who rang before it opened the session. If a
  peer-to-peer call ended after the room, or at the same time, only a breach in the room counts, because the log has to
  say who ended that call.
- A session of only peer-to-peer calls is judged by the caller of the first leg. If that caller is not on the roster,
  or somebody's times are unknown, the log decides.
- Staff without times were there at some time during their call. A pupil without times may have been in the room at any
  time, because a record that lacks their times may end before they left.
- If no staff were in any call of a session and everybody was identified, staff did not open it.
- Calls that do not show who was staff (hosted elsewhere, or with an unidentified person instead of staff) count as if
  staff could have been there all the time.
- A concern linked to any call or log of a session is linked to it.

The clauses
- `parents-told` and consents outside the hours concern every pupil in the call or in the log; one-to-ones only the one.
- Staff on the roster use the school's account unless the record names another tenant. If another organisation hosted
  the matched call, the absence of staff shows nothing.
- `recording-on-team` concerns the calls that are listed as recorded, or all calls of the session if none is.
- A recording without a call's id belongs to a call of its organiser that was taking place when it was created.
- If a pupil has one video of unknown length and others that are not long enough, it is unknown how long the camera was
  on.
- Nothing is known about the camera of somebody who was in the call for no time at all.
- Attendance reports never show cameras, so a log that says they were on is disputed only by call records.
- A consent that was withdrawn after the session began still covered it.
- A period of remote learning covers a pupil who is in one of its schools, one of its years and one of its houses, as
  far as it names any; the same applies to slots. Both look at the pupil on the session's day. "9" and "Year 9" are the
  same.
- A slot for week A or B never counts outside the terms.
- The log disputes the hours if its own times, on its own day, say the opposite.
- HOYs and HMs count only for pupils of their own school. Staff without a pastoral role have to invite as tutors do.
- A calendar's event fits a call as a log does, if they overlap or are at most `match_minutes` apart. Of several events
  the one with the longest overlap counts, then the one with the nearest start, then the one changed last.
"""
