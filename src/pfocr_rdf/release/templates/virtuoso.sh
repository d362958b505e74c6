#!/bin/sh
# Loads this release into a running Virtuoso, and compares the number of triples in each graph.
# Call: sh load/virtuoso.sh [HOST:PORT [USER [PASSWORD]]]
# Needs `isql-vt`, and this folder in DirsAllowed of the server's ini. The project's tests run this file with 7.2.5.1.
# The client ends with 0 whatever happens and the loader notes errors in a table only, so both are looked at.
set -eu
files=$(cd "$(dirname "$0")/.." && pwd)
server=${1:-127.0.0.1:1111}
user=${2:-dba}
password=${3:-dba}
sql() { isql-vt "$server" "$user" "$password" VERBOSE=OFF BANNER=OFF PROMPT=OFF EXEC="$1"; }
sql "delete from DB.DBA.load_list where ll_file like '$files/%';"
@GRAPHS@
sql "rdf_loader_run(); checkpoint;"
bad=$(sql "select concat ('bad: ', ll_file, ' ', cast (ll_error as varchar)) from DB.DBA.load_list where ll_error is not null;" | grep '^bad: ' || true)
[ -z "$bad" ] || { echo "$bad" >&2; exit 1; }
cut -f 1 "$files/load/counts.tsv" | while read -r graph; do
  count=$(sql "sparql select concat('n=', str(count(*))) where { graph $graph { ?s ?p ?o } };" | grep -o 'n=[0-9]*')
  printf '%s\t%s\n' "$graph" "${count#n=}"
done | LC_ALL=C sort | diff "$files/load/counts.tsv" -
echo "loaded. Plain patterns ask the union of all graphs."
