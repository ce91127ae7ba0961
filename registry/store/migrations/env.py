"""Alembic's entry point: runs the migrations on the engine that `registry.store.database` passes in."""

from alembic import context

from deedlog.registry.store.tables import Table

engine = context.config.attributes["engine"]
with engine.connect() as connection:
    context.configure(connection=connection, target_metadata=Table.metadata, render_as_batch=True)
    with context.begin_transaction():
        context.run_migrations()
