"""Values to descriptions (a subject and its predicate-object pairs). Pure: no file, no clock."""
