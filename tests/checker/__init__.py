"""An independent proof that a build folder says all that its source says, and nothing else.

The checker shares no code with the converter. It reads the source with its own plain means, computes from the data
model which triples each layer must hold, and compares both sets in both directions. It is slow and keeps everything
in memory: it is for samples and tests, not for the whole database.

What it predicts: the layers `core`, `links-*`, `evidence-*`, `entities`, `xrefs`, `compat` and the accounts.

What it does not predict, because the data model leaves it open or because the case is a broken source:

* `ontology` and `xrefs-pubmed`; keywords classified with a list of NCBI genes (it assumes that none was given);
* a creator other than WikiPathways in a `schema-jsonld` block; keys of the block other than plain texts and a few
  well-known addresses;
* a single bad value inside a table row: the whole row is expected to be rejected;
* the exact JSON of nested values under unknown keys: compact, sorted keys, text unescaped is expected;
* a folder with tables that are not UTF-8 at all (UTF-16): each line is expected to be a rejected row.
"""

from .comparing import account, compare
from .expecting import expected

__all__ = ["account", "compare", "expected"]
