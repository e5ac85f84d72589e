"""Models that answer with text, and prompts: their answers on an evaluation set, and who judges them."""
