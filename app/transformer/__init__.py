"""The transformer itself: its description, its graph, its mathematics.

Runs with torch alone. Nothing in here knows of HTTP, of stored runs or of pictures.
"""
