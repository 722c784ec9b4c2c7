"""Methods on numbers: populations, safety, response, survival, pharmacokinetics. Pure."""
