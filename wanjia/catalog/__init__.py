"""Catalog: runs of the main job, the quality of each source, and the findings a source must answer."""
