"""The web: so far the limits of a session."""
