// Asks the SPARQL endpoint of the first argument the queries that standard input lists as JSON, with comunica of the
// working directory; prints for each query the rows, as JSON.
const { createRequire } = require('node:module');
const { readFileSync } = require('node:fs');
const { QueryEngine } = createRequire(`${process.cwd()}/`)('@comunica/query-sparql');

async function main() {
  const engine = new QueryEngine();
  const sources = [{ type: 'sparql', value: process.argv[2] }];
  const answers = [];
  for (const query of JSON.parse(readFileSync(0, 'utf8'))) {
    const bindings = await engine.queryBindings(query, { sources });
    const rows = await bindings.toArray();
    answers.push(rows.map((row) => Object.fromEntries([...row].map(([key, term]) => [key.value, term.value]))));
  }
  process.stdout.write(JSON.stringify(answers));
}

main().catch((error) => {
  process.stderr.write(`${error.stack}\n`);
  process.exitCode = 1;
});
