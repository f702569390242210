"""`python -m wholecase` is the command `wholecase`, also where that is not on the path."""

from wholecase.cli import main

if __name__ == "__main__":
    main()
