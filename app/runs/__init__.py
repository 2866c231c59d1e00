"""Executing a model on tokens, and remembering every number it made."""
