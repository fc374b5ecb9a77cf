"""FluidBench: what an ML pipeline gains when its steps share data through Vineyard."""

__version__ = "0.1.0"
