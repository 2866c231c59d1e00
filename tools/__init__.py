"""Scripts for building, running and checking the project in a checkout; the server does not need them."""
