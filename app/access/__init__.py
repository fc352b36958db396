"""Who sees what: every question about people's data is asked here, and nowhere else.

Each function takes the school and the person who asks and answers only with what that person may see;
the filter stands in the query itself. Who holds a role is decided by the roster in force today, whose
tutor or pupil somebody was by the one in force on the session's day. TABLE says in words what the
functions do, and they look it up there.

Counselling: a confidential session is left out of everything for everybody but the member of staff who
conducted it, so that no filter and no difference of two figures tells of one. The one exception is a
session logged as counselling by somebody who is no counsellor: the Senior Deputy Head sees that it took
place, without pupils, notes and reasons. `counselling_counts` is the only figure there is.

Times in frames are in school time. A question that the person may not ask at all raises NotAllowed.
"""
