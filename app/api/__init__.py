"""The REST calls and the stream: thin routers that parse, call and answer."""
