"""Is this installation what was released, and is its database guarded as it must be (VA-4)? Run by the sponsor."""
