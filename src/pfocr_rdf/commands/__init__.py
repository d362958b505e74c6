"""The commands of the command line, by what they are for: options to calls, results to tables or JSON."""
