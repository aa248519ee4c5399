"""What holds for all tests: no property is judged by the clock, so a slow machine fails none."""

from __future__ import annotations

from hypothesis import settings

settings.load_profile("ci")
