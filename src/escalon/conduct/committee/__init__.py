"""Committee: data cuts, reviews, votes and decisions."""
