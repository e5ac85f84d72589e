"""Metric maths: expressions over time series, as GetMetricData and alarms evaluate them.

Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
"""
