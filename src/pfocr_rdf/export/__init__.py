"""From a build, and from nothing else, back to other forms: the records of the source, N-Triples."""
