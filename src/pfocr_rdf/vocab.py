"""Each class and property that we emit, as a Turtle token. The data model, sections a.4 to a.7.

`tests/test_ontologies.py` holds that each `pfocr:` term here is defined in `ontologies/pfocr.ttl`, and back.
"""

from __future__ import annotations

from typing import Final

A: Final = "a"

# classes
ACADEMIC_ARTICLE: Final = "bibo:AcademicArticle"
ANNOTATION: Final = "oa:Annotation"
CHEMICAL: Final = "schema:ChemicalSubstance"
COLLECTION: Final = "skos:Collection"
DATASET: Final = "schema:Dataset"
FIGURE: Final = "sio:SIO_000080"
FOAF_ORGANIZATION: Final = "foaf:Organization"
GENE: Final = "schema:Gene"
IMAGE_OBJECT: Final = "schema:ImageObject"
JOURNAL: Final = "bibo:Journal"
MEDICAL_CONDITION: Final = "schema:MedicalCondition"
ORGANIZATION: Final = "schema:Organization"
TAXON: Final = "schema:Taxon"

# Dublin Core, BIBO, FOAF
BIBLIOGRAPHIC_CITATION: Final = "dcterms:bibliographicCitation"
DOI: Final = "bibo:doi"
FOAF_NAME: Final = "foaf:name"
IDENTIFIER: Final = "dcterms:identifier"
IS_PART_OF: Final = "dcterms:isPartOf"
ISSUED: Final = "dcterms:issued"
PUBLISHER: Final = "dcterms:publisher"
RELATION: Final = "dcterms:relation"
REPLACES: Final = "dcterms:replaces"
SHORT_TITLE: Final = "bibo:shortTitle"
SOURCE: Final = "dcterms:source"
TITLE: Final = "dcterms:title"

# schema.org
ABOUT: Final = "schema:about"
ALTERNATE_NAME: Final = "schema:alternateName"
CREATOR: Final = "schema:creator"
DATE_PUBLISHED: Final = "schema:datePublished"
DESCRIPTION: Final = "schema:description"
GENRE: Final = "schema:genre"
IMAGE: Final = "schema:image"
KEYWORDS: Final = "schema:keywords"
LICENSE: Final = "schema:license"
MENTIONS: Final = "schema:mentions"
NAME: Final = "schema:name"
POSITION: Final = "schema:position"
TAXONOMIC_RANGE: Final = "schema:taxonomicRange"

# RDFS, SKOS, OWL, Web Annotation, WikiPathways
ALT_LABEL: Final = "skos:altLabel"
CLOSE_MATCH: Final = "skos:closeMatch"
EXACT_MATCH: Final = "skos:exactMatch"
HAS_BODY: Final = "oa:hasBody"
HAS_TARGET: Final = "oa:hasTarget"
LABEL: Final = "rdfs:label"
MEMBER: Final = "skos:member"
PREF_LABEL: Final = "skos:prefLabel"
SAME_AS: Final = "owl:sameAs"
SEE_ALSO: Final = "rdfs:seeAlso"
WP_ORGANISM: Final = "wp:organism"

# our own
PFOCR_DISSENT: Final = "pfocr:dissent"
PFOCR_GENE_COUNT: Final = "pfocr:geneCount"
PFOCR_GENERATION: Final = "pfocr:generation"
PFOCR_MATCH: Final = "pfocr:match"
PFOCR_NAME: Final = "pfocr:name"
PFOCR_ORGANISM_AS_GIVEN: Final = "pfocr:organismAsGiven"
PFOCR_ORGANISM_PAGE: Final = "pfocr:organismPage"
PFOCR_PATHWAY_SCORE: Final = "pfocr:pathwayScore"
PFOCR_RESULT_RANK: Final = "pfocr:resultRank"
PFOCR_STRICT_GENE_COUNT: Final = "pfocr:strictGeneCount"
PFOCR_SYMBOL: Final = "pfocr:symbol"
PFOCR_VARIANT: Final = "pfocr:variant"
PFOCR_WORD: Final = "pfocr:word"
