"""Accounts: how a person proves to be that person. Rights are no matter of accounts; they are in the ledger."""
