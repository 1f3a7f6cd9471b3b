"""The testbed: a small contact centre to talk to, the system under test that ships with antiphon."""

from antiphon.testbed.centre import ContactCentre

__all__ = ["ContactCentre"]
