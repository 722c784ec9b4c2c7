"""Redaction: personal data entered by mistake is destroyed by two persons, and the ledger says so."""
