output "policy_ids" {
  description = "The policies by what they guard."
  value       = { for name, policy in aws_organizations_policy.this : name => policy.id }
}

output "documents" {
  description = "The policies' documents, by kind and by what they guard, for whoever proves what they forbid."
  value = {
    for kind, type in local.kinds : "${kind}_control" => {
      for name, one in local.policies : name => jsondecode(local.documents[name]) if one.kind == type
    }
  }
}
