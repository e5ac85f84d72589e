output "trail_arn" {
  description = "The account's trail."
  value       = aws_cloudtrail.this.arn
}

output "analyzer_arn" {
  description = "The account's analyzer."
  value       = aws_accessanalyzer_analyzer.this.arn
}
