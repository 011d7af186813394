"""A company to look at: its story, made from a seed alone, and what plays it through the services."""
