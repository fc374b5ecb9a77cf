"""One block a table in a vineyardd of the run's own."""

import dataclasses

from fluidbench.stores.base import Footprint
from fluidbench.stores.vineyard_object import VineyardStore


class VineyardBlockStore(VineyardStore):
    """The same server; a table goes there as one block."""

    name = "vineyard-block"
    step_store = "vineyard-block"

    def footprint(self, exchange_bytes: int) -> Footprint:
        return dataclasses.replace(super().footprint(exchange_bytes), in_columns=False, in_place=True)
