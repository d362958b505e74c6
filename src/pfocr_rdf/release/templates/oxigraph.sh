#!/bin/sh
# Loads this release into a new Oxigraph database, and compares the number of triples in each graph.
# Call: sh load/oxigraph.sh [DATABASE]
# Needs the command `oxigraph`. The project's tests run this file with 0.5.13.
set -eu
files=$(cd "$(dirname "$0")/.." && pwd)
database=${1:-pfocr-oxigraph}
[ ! -e "$database" ] || { echo "$database: is there already; give a new folder" >&2; exit 2; }
oxigraph load --location "$database" --file "$files/@QUADS@"
@GRAPHS@
oxigraph optimize --location "$database"
oxigraph query --location "$database" --query-file "$files/load/counts.rq" --results-format tsv |
  tail -n +2 | LC_ALL=C sort | diff "$files/load/counts.tsv" -
echo "loaded. Serve it, with the union of all graphs as default graph:"
echo "oxigraph serve-read-only --location $database --union-default-graph --bind 127.0.0.1:7878"
