"""Reading: the only stage that opens files of the source. Text in, untouched strings out."""
