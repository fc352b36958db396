"""Taking in what comes from outside: one transaction from checked rows to judged sessions.

Good rows land, each refused row is kept until somebody mends or dismisses it, and the same file a second
time changes nothing. A process that is killed leaves all of an import or none of it.
"""
