"""Tables of the report: each is a function from results (ARD) to HTML text and computes nothing."""
