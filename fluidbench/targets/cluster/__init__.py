"""A Kubernetes cluster as a target: Argo walks the plan, Fluid's VineyardRuntime holds the objects."""
