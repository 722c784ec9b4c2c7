"""Slots: seats, the queue, clearances, the dose lock and the stagger."""
