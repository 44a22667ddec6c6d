"""Builds the custom connector for Logic Apps and Power Automate from the routes."""
