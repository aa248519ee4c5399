"""The browser that the tests of the pages share."""

from tests.lab.browser import browser

__all__ = ["browser"]
