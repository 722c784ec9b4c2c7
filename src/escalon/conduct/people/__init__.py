"""People: sites, persons, roles with their dates, electronic signatures."""
