output "settings" {
  description = "What `interlock settings import` reads."
  value = { for layer in ["foundation", "platform"] : layer => merge(module.workload.settings[layer], {
    evidence = {
      account_id = var.evidence_account_id
      role_arn   = try(module.evidence.settings[layer].role_arn, null)
    }
  }) }
}

output "terraform_backend" {
  description = "Where this state goes once its bucket stands."
  value       = module.workload.terraform_backend
}

output "boundary_arns" {
  description = "The permission boundaries of the workload account."
  value       = module.workload.boundary_arns
}
