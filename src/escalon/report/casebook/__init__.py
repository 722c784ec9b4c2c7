"""The casebook of a patient as one page: every value with its history, marks and signatures, from the ledger alone."""
