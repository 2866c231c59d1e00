"""The engine: runs are made, followed and read here, whoever asks and over whatever door.

REST, the stream and a program in this process are adapters on it: `port.py` says what an engine is, `local.py` is the
one that computes in this process. It knows nothing of HTTP.
"""
