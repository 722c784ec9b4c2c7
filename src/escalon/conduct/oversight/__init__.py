"""Oversight: the audit trail and its reviews, reviews of access, rights in an emergency, notices."""
