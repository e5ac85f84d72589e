output "documents" {
  description = "What the guardrails forbid."
  value       = module.guardrails.documents
}
