"""A comparison or a run as tables, JSON, CSV or Markdown."""
