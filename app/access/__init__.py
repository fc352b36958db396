"""Who may see what: `policy` decides it, and what pages read of people's data is here. Two modules read for a page
themselves, once they have asked here: `app.reports.subject_access` and `app.operations.alerts`. Commands and alerts
(`app.alerts.due`) read for nobody who is signed in. Nothing here writes, except that a read is put on the audit trail.

Each function takes the school and the person who asks, and returns only what that person may see; the filter is part of
the query. Who holds a role is decided by the roster in force today; whose tutor or pupil somebody was, by
the one in force on the session's day. `policy` says what each role is granted.

Counselling: only the member of staff who conducted a confidential session sees it. It is left out of every list and
figure for everybody else, so that no filter and no difference between two figures can reveal it. If somebody who is not
a counsellor logs counselling, the Senior Deputy Head sees that it took place, without pupils, notes and reasons.
`count_counselling_sessions` gives the only figure there is.

Times in frames are in school time. A question that the person may not ask at all raises NotAllowedError.
"""
