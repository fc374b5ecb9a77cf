"""The API server's fixtures, for the tests beside it."""

from tests.kube.plugin import api, kube

__all__ = ["api", "kube"]
