"""All SQL of the station: tables and queries in SQLAlchemy core, SQLite by default, PostgreSQL by URL."""

from ground_station.store.engine import Store, StoreUnavailable, Transaction

__all__ = ["Store", "StoreUnavailable", "Transaction"]
