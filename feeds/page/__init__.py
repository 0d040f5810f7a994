"""What web pages say: an article's text and facts. Knows no network."""
