"""Alerts: emails about something new or overdue, through an outbox in the database.

An alert says what kind of thing happened and where to read it. It never contains a pupil's name or anything that
somebody wrote: its text comes from KINDS, and its subject is a reference.
"""
