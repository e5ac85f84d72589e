"""Alarms: what state they are in, when it changes, and what then happens.

Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html
"""
