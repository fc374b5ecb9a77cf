"""One block a table in a vineyardd of the run's own."""

from fluidbench.stores.vineyard_object import VineyardStore


class VineyardBlockStore(VineyardStore):
    """The same server; a table goes there as one block."""

    name = "vineyard-block"
    step_store = "vineyard-block"
