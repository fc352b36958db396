"""Runs the migrations on the connection that `app.store.database` hands over."""

from alembic import context

from app.store.tables import metadata

# The metadata names the constraints and indexes of tables that a migration creates.
context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
