"""SDTM and ADaM: frames in, frames out, and the file formats."""
