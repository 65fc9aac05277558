"""The naming contract: what a lane, a name and a route's labels are, parsed once into values that can't be wrong."""
