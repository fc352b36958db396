"""Alerts: telling people of something new or overdue, through an outbox in the database.

`queue` puts an alert into the outbox, in the transaction of what it reports: both are there or neither.
`sending` sends them, `due` queues what falls due by the clock, `channels` holds mail and the other services.

An alert says what kind of thing happened and where to read it. It never holds a pupil's name nor a word that
somebody wrote: what it says is KINDS' own, and `about` is a reference.
"""
