"""What may be scanned, when, how hard, and with which credentials: the only source of targets.

`load_scope` reads the scope file, `plan` holds a person's words against it, and the `Guard` of the plan is
asked again right before anything is sent.
"""

from scanner.scope.file import ScopeFile
from scanner.scope.guard import Guard, Resolver, ScopeError, resolve_host
from scanner.scope.load import Scope, check_files, check_names, load_scope, read_scope
from scanner.scope.plan import plan
from scanner.scope.planned import Access, AwsScope, HostScope, LocalScope, NetworkScope, Plan, PlannedTarget
from scanner.scope.template import template

__all__ = [
    "Access",
    "AwsScope",
    "Guard",
    "HostScope",
    "LocalScope",
    "NetworkScope",
    "Plan",
    "PlannedTarget",
    "Resolver",
    "Scope",
    "ScopeError",
    "ScopeFile",
    "check_files",
    "check_names",
    "load_scope",
    "plan",
    "read_scope",
    "resolve_host",
    "template",
]
