"""Individual case safety reports in ICH E2B(R3): one case object, a writer, the rules it has to pass."""
