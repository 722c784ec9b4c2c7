"""What the study says: typed, frozen, versioned models of a study folder."""
