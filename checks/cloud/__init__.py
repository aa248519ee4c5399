"""Checks of cloud accounts."""
