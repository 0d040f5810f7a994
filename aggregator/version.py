"""Which Newsfold this is."""

from importlib.metadata import version

VERSION = version("newsfold")
HOME = "https://newsfold.example/"
