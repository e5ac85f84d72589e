"""Elastic Load Balancing: a load balancer is a proxy on an address of its own, and that address its DNS name."""

from rehearsal.cloud.services.elbv2.service import LoadBalancing

__all__ = ["LoadBalancing"]
