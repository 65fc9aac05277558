"""The naming contract: lanes, names and a route's labels, parsed into values that are always valid."""
