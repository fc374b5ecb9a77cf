"""Step halves of the odd stores. Runs inside a step, where `stores` is the step's own package."""

import os
import signal
import time

from stores.pickle_file import PickleStore

DELAY_S = 1.0


class Slow(PickleStore):
    """Takes DELAY_S longer to load X_train."""

    def load(self, name):
        time.sleep(DELAY_S if name == "X_train" else 0)
        return super().load(name)


class Changes(PickleStore):
    """Hands over one cell that is not the one that was saved."""

    def load(self, name):
        table = super().load(name)
        if name == "X_train":
            table = table.copy()
            table.iloc[7, 3] += 1
        return table


class Raises(PickleStore):
    """Tells which variables steer its interpreter, and fails."""

    def save(self, name, table):
        print("told by", sorted(name for name in os.environ if name.startswith("PYTHON")), flush=True)
        raise ValueError("this store is broken")


class Killed(PickleStore):
    def save(self, name, table):
        os.kill(os.getpid(), signal.SIGKILL)


class Hangs(PickleStore):
    def save(self, name, table):
        super().save(name, table)
        time.sleep(600)
