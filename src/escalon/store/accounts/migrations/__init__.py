"""Migrations of the accounts, forward only."""
