mock_data "aws_caller_identity" {
  defaults = {
    account_id = "123456789012"
    arn        = "arn:aws:sts::123456789012:assumed-role/administrator/somebody"
  }
}

mock_data "aws_iam_session_context" {
  defaults = {
    issuer_arn = "arn:aws:iam::123456789012:role/administrator"
  }
}

mock_data "aws_partition" {
  defaults = {
    partition = "aws"
  }
}

mock_data "aws_region" {
  defaults = {
    name = "eu-west-1"
  }
}

mock_data "aws_organizations_organization" {
  defaults = {
    id = "o-0123456789"
    roots = [{
      id   = "r-0123"
      arn  = "arn:aws:organizations::432109876543:root/o-0123456789/r-0123"
      name = "Root"
      policy_types = [
        { type = "SERVICE_CONTROL_POLICY", status = "ENABLED" },
        { type = "RESOURCE_CONTROL_POLICY", status = "ENABLED" },
      ]
    }]
  }
}
