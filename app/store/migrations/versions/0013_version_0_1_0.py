"""The tables of version 0.1.0, the first that was released: where the way to every later version begins.

A new database is created as `app.store.tables` describes it now, and never runs a migration.
"""

revision = "0013"
down_revision = None
