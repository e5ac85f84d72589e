"""The proxy that an Application Load Balancer is: a process of its own, which imports nothing of the cloud."""
