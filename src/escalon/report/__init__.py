"""Documents out: results (long), tables, figures, HTML."""
