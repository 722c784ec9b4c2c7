"""Committee: data cuts, reviews, interests, votes and what a decision needs (docs/conduct/decisions.md)."""
