"""From frames and state to the frames a figure draws, and to SVG text with its caption."""
