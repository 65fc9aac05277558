"""The only access to Helm: the program, its process, its input and its output."""
