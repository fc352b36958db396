"""An import or an entered log: one transaction from records to judged sessions.

Good rows are stored, each rejected row stays listed until somebody fixes or dismisses it, and the same file a second
time changes nothing. A process that is killed leaves all of an import or none of it.
"""
