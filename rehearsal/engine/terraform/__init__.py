"""A client of Terraform's plugin protocol, version 5: what the AWS provider binary is spoken to in."""
