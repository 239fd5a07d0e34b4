"""Alembic's entry: the connection comes from `Store.migrate`, so no file holds a database address."""

from alembic import context

from ground_station.store.tables import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    render_as_batch=True,
    transaction_per_migration=False,
)
context.run_migrations()
