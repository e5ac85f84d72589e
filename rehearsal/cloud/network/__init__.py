"""Who reaches whom: the declared subnets, routes and security groups, in force for real connections on loopback."""
