"""Schema changes, one file each, in order; run by `Store.migrate`."""
