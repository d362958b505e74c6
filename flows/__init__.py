"""Prefect flows of pfocr-rdf. Importing this package imports no Prefect; its modules do."""
