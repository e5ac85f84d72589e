"""The settings of a stack: what they may be, what they may not be together, and how two stacks differ. Pure."""
