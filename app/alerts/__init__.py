"""Alerts: emails about something new or overdue, stored in an outbox in the database before they are sent.

An alert says what kind of thing happened and where to read about it. It never contains a pupil's name or anything that
somebody wrote: its text comes from KINDS, and its subject is a reference.
"""
