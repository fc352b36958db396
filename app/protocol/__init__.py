"""The rules: they judge, from what is on record, whether each session followed the school's protocol.

They are pure functions on data frames and settings, without a database, network or screens. `judge` takes an
`Evidence` and returns a `Judged`; `CLAUSES` describes what is judged and why.
"""
