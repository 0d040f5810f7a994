"""The demonstration newsroom: invented outlets, their articles, and a loopback server for them.

It plays *other people's* web sites, so that ``newsfold demo`` and the tests have something real to
read over HTTP. It is no part of the pipeline: nothing but the demonstration and the tests imports
it, and the truth it knows (which articles tell one event) never reaches what is being measured.
"""

from aggregator.newsroom.data import load_newsroom, newsroom_config_sources, shifted
from aggregator.newsroom.model import Figure, Newsroom, NewsroomArticle, NewsroomEvent, Outlet
from aggregator.newsroom.server import newsroom_app

__all__ = [
    "Figure",
    "Newsroom",
    "NewsroomArticle",
    "NewsroomEvent",
    "Outlet",
    "load_newsroom",
    "newsroom_app",
    "newsroom_config_sources",
    "shifted",
]
