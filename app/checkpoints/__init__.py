"""Files to models: each format a module, and the catalog of what this server can load."""
