"""Runs a model's code, which is hostile, where it can reach nothing, and brings back numbers or text."""
