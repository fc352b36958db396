"""Alerts: emails about something new or overdue, through an outbox in the database.

An alert says what kind of thing happened and where to read it. It never holds a pupil's name nor a word that somebody
wrote: its words are KINDS' own, and its subject is a reference.
"""
