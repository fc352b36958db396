"""The rules: judge for every session, from what is on record, whether it kept the school's protocol.

Pure functions on data frames and settings: no database, no network, no screens. `judge` takes an
`Evidence` and returns a `Judged`; `CLAUSES` describes what is judged and why.
"""
