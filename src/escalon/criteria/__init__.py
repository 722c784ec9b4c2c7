"""How clinicians grade and classify. Pure; thresholds are data."""
