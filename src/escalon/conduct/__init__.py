"""What happens in a running trial: commands, facts, state. Pure: no clock, no file, no database."""
