"""Safety: cases, causality and expectedness, reporting clocks, freezes (docs/conduct/safety.md)."""
