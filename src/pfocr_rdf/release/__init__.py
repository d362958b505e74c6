"""From a checked build to a published release: description, files, history."""
