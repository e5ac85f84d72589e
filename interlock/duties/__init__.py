"""Who may do what: duties, and the policy documents that hold them to it. Pure."""
