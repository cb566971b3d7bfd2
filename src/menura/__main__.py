"""`python -m menura`: the command, where it is not on the path."""

from menura.cli import main

if __name__ == "__main__":
    main()
