"""Sends telemetry; imported only where the settings name a target.

exporters  Application Insights and OTLP
records    which spans and log lines are sent
"""
