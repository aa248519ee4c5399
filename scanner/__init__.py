"""The machine: scope, transports, collectors, store, dispatch and the command line."""

__version__ = "0.1.0"
