"""The `aws` resource provider of the Pulumi engine: pulumi-aws's types on one side, Terraform's on the other."""
