"""Checks of hosts: how a machine is configured and patched."""
