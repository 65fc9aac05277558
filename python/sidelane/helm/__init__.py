"""The only door to Helm: which program, how it runs, what it is fed, what it answers."""
