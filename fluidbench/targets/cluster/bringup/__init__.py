"""Bringing a cluster up in stages, telling how it is, and taking it down."""
