"""The rules: what the school's protocol asks, judged for every session from what is on record.

Pure functions on data frames and settings: no database, no network, no screens. `judge` takes an
`Evidence` and gives a `Judged`; `CLAUSES` says in words what is judged and why.
"""
