"""Brings a machine that has Python and git to where a rehearsal can run; standard library only."""
