"""One rule of dose finding per file."""
