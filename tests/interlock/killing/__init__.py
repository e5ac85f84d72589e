"""Commands as processes of their own, ended with SIGKILL at a write of theirs."""
