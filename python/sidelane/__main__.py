"""`python -m sidelane`: the command line, of the interpreter that one names."""

from sidelane.cli import main

if __name__ == "__main__":
    main()
