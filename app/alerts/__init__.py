"""Alerts: who is told that something waits for them, through an outbox in the database.

`queue` puts an alert into the outbox, in the transaction of what it tells of: both are there or neither.
`sending` hands over what waits, `due` puts in what falls due by the clock, `channels` is the way out.

An alert says what kind of thing happened and where to read it. It never holds a pupil's name nor a word that
somebody wrote: what it says is KINDS' own, and `about` is a reference.
"""
