#!/bin/sh
# Loads this release into a new TDB2 database of Apache Jena, and compares the number of triples in each graph.
# Call: sh load/fuseki.sh JENA_FUSEKI_SERVER.jar [DATABASE]
# Needs Java 17. The project's tests run this file with Jena 5.6.0.
# load/fuseki.ttl looks for the database under the name pfocr-tdb2, in the folder in which the server starts.
set -eu
files=$(cd "$(dirname "$0")/.." && pwd)
jar=${1:?the jar of jena-fuseki-server}
database=${2:-pfocr-tdb2}
[ ! -e "$database" ] || { echo "$database: is there already; give a new folder" >&2; exit 2; }
java -cp "$jar" tdb2.tdbloader --loc "$database" "$files/@QUADS@"
@GRAPHS@
java -cp "$jar" tdb2.tdbquery --loc "$database" --query "$files/load/counts.rq" --results=TSV |
  tail -n +2 | tr -d '\r' | LC_ALL=C sort | diff "$files/load/counts.tsv" -
echo "loaded. Serve it, with the union of all graphs as default graph:"
echo "java -jar $jar --localhost --port=3030 --config=$files/load/fuseki.ttl"
