"""Custody: what happened to the ledger itself."""
