"""How doses are chosen. Pure: a statistician could use this folder alone."""
