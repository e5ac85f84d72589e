output "trail_arns" {
  description = "The trails, which the guardrails protect."
  value       = [module.workload.trail_arn, module.evidence.trail_arn]
}

output "trail_bucket" {
  description = "The locked bucket of the trails."
  value       = module.audit.trail_bucket
}
