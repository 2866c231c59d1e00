"""Training the bundled models: one module per task, one trainer for both.

`stories.py` and `sort.py` say what is learned and from which data; `trainer.py` does the learning.
"""
