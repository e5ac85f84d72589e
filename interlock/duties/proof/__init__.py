"""The proof: z3 over the policy documents of a world, with a concrete request and chain for whatever fails. Pure."""
