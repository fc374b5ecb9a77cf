"""`python -m fluidbench`."""

from fluidbench.cli.main import entry

if __name__ == "__main__":
    entry()
