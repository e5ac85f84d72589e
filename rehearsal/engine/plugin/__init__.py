"""The executable that stands for pulumi-aws's plugin: a thin line from the engine to the provider host."""
