"""Safety: cases, reporting clocks, causality and expectedness."""
