"""A Kubernetes cluster as a target: kind or an existing one, with Fluid, Argo and Vineyard."""
