#!/bin/sh
# Loads this release into a new Blazegraph database, each layer from its own file: Blazegraph reads N-Quads as ASCII.
# Call: sh load/blazegraph.sh BLAZEGRAPH.jar [FOLDER]
# Needs Java. The project's tests run this file with Blazegraph 2.1.5 on Java 17.
set -eu
files=$(cd "$(dirname "$0")/.." && pwd)
jar=${1:?the jar of blazegraph}
jar=$(cd "$(dirname "$jar")" && pwd)/$(basename "$jar")
folder=${2:-pfocr-blazegraph}
[ ! -e "$folder" ] || { echo "$folder: is there already; give a new folder" >&2; exit 2; }
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
cat > "$folder/RWStore.properties" <<END
com.bigdata.journal.AbstractJournal.file=$folder/blazegraph.jnl
com.bigdata.rdf.store.AbstractTripleStore.quads=true
com.bigdata.rdf.store.AbstractTripleStore.textIndex=false
com.bigdata.rdf.store.AbstractTripleStore.statementIdentifiers=false
com.bigdata.rdf.store.AbstractTripleStore.axiomsClass=com.bigdata.rdf.axioms.NoAxioms
com.bigdata.rdf.sail.truthMaintenance=false
END
cd "$folder"
add() {
  case $1 in
    *.gz) gzip -dc "$files/$1" ;;
    *.zst) zstd -qdc "$files/$1" ;;
    *) cat "$files/$1" ;;
  esac > part.ttl
  java -cp "$jar" com.bigdata.rdf.store.DataLoader -namespace kb -defaultGraph "$2" RWStore.properties part.ttl > load.log 2>&1
  grep -q 'goodSet=1' load.log || { cat load.log >&2; echo "$1: was not loaded" >&2; exit 1; }
  rm part.ttl
}
@GRAPHS@
pages="jar:file:$jar!/war"
echo "loaded. Serve it on this machine alone (the main class of the jar fails on Java 9 and later, this one does not):"
echo "java -Xmx2g -Djetty.host=127.0.0.1 -Djetty.home=$pages -Djetty.resourceBase=$pages -cp $jar com.bigdata.rdf.sail.webapp.NanoSparqlServer 9999 kb $folder/RWStore.properties"
