"""Transformer Atlas: runs a transformer, and gives every number in it a name and a place on one map."""
