"""The engine's Python language host: starts the program that a `Pulumi.yaml` names."""
