"""The only SQL: an append-only, hash-chained ledger in SQLite or PostgreSQL."""
