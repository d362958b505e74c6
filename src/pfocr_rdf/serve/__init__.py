"""A read-only SPARQL endpoint over a release, a build or an Oxigraph folder, and the proxy in front of two stores."""
