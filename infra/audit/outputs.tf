output "trail_bucket" {
  description = "The locked bucket of the trails."
  value       = aws_s3_bucket_policy.kept["trail"].bucket
}

output "config_bucket" {
  description = "The bucket of the recorded configurations."
  value       = aws_s3_bucket_policy.kept["config"].bucket
}

output "key_arn" {
  description = "The key that encrypts both."
  value       = aws_kms_key.audit.arn
}

output "trail_arns" {
  description = "The trails of the watched accounts, once modules/watched stands there."
  value       = local.trail_arns
}
