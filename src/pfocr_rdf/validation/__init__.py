"""Whether a build or a release is what the data model promises: shapes, queries, streams, files; one report."""
