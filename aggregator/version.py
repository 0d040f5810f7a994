"""Which Newsfold this is."""

from importlib.metadata import version

VERSION = version("newsfold")
