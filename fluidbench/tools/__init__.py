"""One external program each: argv in, dataclass out."""
