"""The tables of version 0.1.0, the first that was released: the base of all migrations.

A new database is created as `app.store.tables` describes it now, and never runs a migration.
"""

revision = "0013"
down_revision = None
