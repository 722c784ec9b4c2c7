"""Migrations of the ledger, forward from the first release."""
