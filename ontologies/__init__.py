"""The files that the package ships: ontology, lexicon, prefixes, contexts. `pfocr_rdf.resources` reads them."""
