/* Turtle: `terms.string`, `serialize.turtle_block`, `mapping.mention.gene_blocks`, `mapping.figure.link_blocks`; and the
   lines of facts, `facts.section_line`. */

#include <stdlib.h>

#include "kernels.h"

KERNEL(turtle_string) {
    (void)module;
    if (check_arguments("turtle_string", args, count, 1, 1) < 0)
        return NULL;
    Buffer out = {0};
    put_literal(&out, args[0]);
    return buffer_text(&out);
}

/* A str as UTF-8, which orders as its code points do; the str owns it. */
typedef struct {
    const char *data;
    Py_ssize_t size;
} Text;

typedef struct {
    Text predicate, object;
} Statement;

static int compare(const Text *a, const Text *b) {
    Py_ssize_t shared = a->size < b->size ? a->size : b->size;
    int order = memcmp(a->data, b->data, (size_t)shared);
    return order ? order : (a->size > b->size) - (a->size < b->size);
}

static int is_a(const Text *predicate) {
    return predicate->size == 1 && predicate->data[0] == 'a';
}

/* `a` comes first, the others by code point; equal predicates by their objects. */
static int compare_statements(const void *left, const void *right) {
    const Statement *a = left, *b = right;
    int order = compare(&a->predicate, &b->predicate);
    if (order == 0)
        return compare(&a->object, &b->object);
    return is_a(&a->predicate) ? -1 : is_a(&b->predicate) ? 1 : order;
}

static int get_text(PyObject *str, Text *text) {
    text->data = PyUnicode_AsUTF8AndSize(str, &text->size);
    return text->data ? 0 : -1;
}

KERNEL(turtle_block) {
    (void)module;
    if (check_arguments("turtle_block", args, count, 2, 1) < 0)
        return NULL;
    PyObject *pairs = PySequence_Tuple(args[1]); /* of our own: nobody changes it meanwhile */
    if (pairs == NULL)
        return NULL;
    Py_ssize_t size = PyTuple_GET_SIZE(pairs);
    Statement *said = PyMem_New(Statement, size ? size : 1);
    Buffer out = {0};
    if (said == NULL) {
        PyErr_NoMemory();
        out.failed = 1;
    }
    for (Py_ssize_t i = 0; i < size && !out.failed; i++) {
        PyObject *pair = PyTuple_GET_ITEM(pairs, i);
        if (!PyTuple_Check(pair) || PyTuple_GET_SIZE(pair) != 2) {
            PyErr_SetString(PyExc_TypeError, "turtle_block: a pair is a tuple of two");
            out.failed = 1;
        } else if (get_text(PyTuple_GET_ITEM(pair, 0), &said[i].predicate) < 0 ||
                   get_text(PyTuple_GET_ITEM(pair, 1), &said[i].object) < 0) {
            out.failed = 1;
        }
    }
    if (!out.failed) {
        qsort(said, (size_t)size, sizeof *said, compare_statements);
        put_text(&out, args[0]);
        PUT(&out, "\n");
    }
    for (Py_ssize_t i = 0; i < size && !out.failed; i++) {
        const Statement *now = &said[i], *before = i ? &said[i - 1] : NULL;
        if (before && compare(&before->predicate, &now->predicate) == 0) {
            if (compare(&before->object, &now->object) == 0)
                continue;
            PUT(&out, " ,\n        ");
        } else {
            if (before)
                PUT(&out, " ;\n");
            PUT(&out, "    ");
            put(&out, now->predicate.data, now->predicate.size);
            PUT(&out, " ");
        }
        put(&out, now->object.data, now->object.size);
    }
    PUT(&out, " .\n\n");
    PyMem_Free(said);
    Py_DECREF(pairs);
    return buffer_text(&out);
}

/* IRIs, or ends of IRIs, as they order with the `>` that closes their tokens. */
static int compare_closed(const void *left, const void *right) {
    const Text *a = left, *b = right;
    Py_ssize_t shared = a->size < b->size ? a->size : b->size;
    int order = memcmp(a->data, b->data, (size_t)shared);
    if (order || a->size == b->size)
        return order;
    return a->size < b->size ? '>' - (unsigned char)b->data[shared] : (unsigned char)a->data[shared] - '>';
}

/* Add the genes of a mention; `first` stands before the first one, `next` before each other. */
static void put_genes(Buffer *out, PyObject *members, PyObject *first, PyObject *next) {
    Py_ssize_t size = PyDict_GET_SIZE(members), at = 0, found = 0;
    Text few[8], *genes = size <= 8 ? few : PyMem_New(Text, size);
    if (genes == NULL) {
        PyErr_NoMemory();
        out->failed = 1;
        return;
    }
    PyObject *gene;
    while (found < size && PyDict_Next(members, &at, &gene, NULL))
        if (get_text(gene, &genes[found++]) < 0)
            out->failed = 1;
    if (!out->failed && found > 1)
        qsort(genes, (size_t)found, sizeof *genes, compare_closed);
    for (Py_ssize_t i = 0; i < found && !out->failed; i++) {
        put_text(out, i ? next : first);
        put(out, genes[i].data, genes[i].size);
        PUT(out, ">");
    }
    if (genes != few)
        PyMem_Free(genes);
}

static int is_missing(PyObject *text) {
    Py_ssize_t size = PyUnicode_GET_LENGTH(text);
    return size == 0 || (size == 2 && PyUnicode_READ_CHAR(text, 0) == 'N' && PyUnicode_READ_CHAR(text, 1) == 'A');
}

/* The texts that stand between what a mention says, by their places in `mention.TEXTS`. */
enum { TYPE, FIRST_GENE, NEXT_GENE, MATCH, SYMBOL, WORD, RANGE, TEXTS };

/* Add one mention: its key, cells (word, match, lexicon; NA, symbol, taxon where it has no gene) and genes. */
static void put_mention(Buffer *out, PyObject *const *args, PyObject *key, PyObject *cells, PyObject *members) {
    PyObject *start = args[0], *target = args[1], *texts = args[3];
    PyObject *source = PyDict_GetItemWithError(args[4], PyTuple_GET_ITEM(cells, 2));
    if (source == NULL) {
        if (!PyErr_Occurred())
            PyErr_SetObject(PyExc_KeyError, PyTuple_GET_ITEM(cells, 2));
        out->failed = 1;
        return;
    }
    int unresolved = PyTuple_GET_SIZE(cells) > 3;
    put_text(out, start);
    put_text(out, key);
    PUT(out, ">");
    put_text(out, PyTuple_GET_ITEM(texts, TYPE));
    put_text(out, source);
    if (!unresolved)
        put_genes(out, members, PyTuple_GET_ITEM(texts, FIRST_GENE), PyTuple_GET_ITEM(texts, NEXT_GENE));
    put_text(out, target);
    put_text(out, PyTuple_GET_ITEM(texts, MATCH));
    put_literal(out, PyTuple_GET_ITEM(cells, 1));
    PUT(out, " ;\n");
    if (unresolved && !is_missing(PyTuple_GET_ITEM(cells, 4))) {
        put_text(out, PyTuple_GET_ITEM(texts, SYMBOL));
        put_literal(out, PyTuple_GET_ITEM(cells, 4));
        PUT(out, " ;\n");
    }
    put_text(out, PyTuple_GET_ITEM(texts, WORD));
    put_literal(out, PyTuple_GET_ITEM(cells, 0));
    if (unresolved) {
        put_text(out, PyTuple_GET_ITEM(texts, RANGE));
        put_text(out, PyTuple_GET_ITEM(cells, 5));
    }
    PUT(out, " .\n\n");
}

KERNEL(gene_blocks) {
    (void)module;
    if (check_arguments("gene_blocks", args, count, 5, 2) < 0)
        return NULL;
    if (!PyList_Check(args[2]) || !PyTuple_Check(args[3]) || PyTuple_GET_SIZE(args[3]) != TEXTS || !PyDict_Check(args[4])) {
        PyErr_SetString(PyExc_TypeError, "gene_blocks: a list of mentions, a tuple of texts and a dict are needed");
        return NULL;
    }
    Buffer out = {0};
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(args[2]) && !out.failed; i++) {
        PyObject *mention = Py_NewRef(PyList_GET_ITEM(args[2], i)), *cells = NULL, *members = NULL;
        if (PyTuple_Check(mention) && PyTuple_GET_SIZE(mention) == 3) {
            cells = PyTuple_GET_ITEM(mention, 1);
            members = PyTuple_GET_ITEM(mention, 2);
        }
        int known = cells && PyTuple_Check(cells) && (PyTuple_GET_SIZE(cells) == 3 || PyTuple_GET_SIZE(cells) == 6) &&
                    PyDict_Check(members);
        for (Py_ssize_t cell = 0; known && cell < PyTuple_GET_SIZE(cells); cell++)
            known = PyUnicode_Check(PyTuple_GET_ITEM(cells, cell));
        if (known) {
            put_mention(&out, args, PyTuple_GET_ITEM(mention, 0), cells, members);
        } else {
            PyErr_SetString(PyExc_TypeError, "gene_blocks: a mention is a key, three or six cells and a dict");
            out.failed = 1;
        }
        Py_DECREF(mention);
    }
    return buffer_bytes(&out);
}

typedef struct {
    Text iri;
    long level;
} Link;

static int compare_links(const void *left, const void *right) {
    const Link *a = left, *b = right;
    int order = (a->level > b->level) - (a->level < b->level);
    return order ? order : compare_closed(&a->iri, &b->iri);
}

/* Return the block of the links of one level, which follow each other in order; empty where there is none. */
static PyObject *block_of_level(PyObject *start, const Link *links, Py_ssize_t size) {
    Buffer out = {0};
    for (Py_ssize_t i = 0; i < size; i++) {
        if (i)
            PUT(&out, " ,\n        ");
        else
            put_text(&out, start);
        PUT(&out, "<");
        put(&out, links[i].iri.data, links[i].iri.size);
        PUT(&out, ">");
    }
    if (size)
        PUT(&out, " .\n\n");
    return buffer_bytes(&out);
}

KERNEL(link_blocks) {
    (void)module;
    if (check_arguments("link_blocks", args, count, 3, 1) < 0)
        return NULL;
    long levels = PyLong_AsLong(args[2]);
    if (!PyDict_Check(args[1]) || levels < 0 || levels > 100) {
        if (!PyErr_Occurred())
            PyErr_SetString(PyExc_TypeError, "link_blocks: a dict and a small number are needed");
        return NULL;
    }
    Py_ssize_t size = PyDict_GET_SIZE(args[1]), at = 0, found = 0;
    Link *links = PyMem_New(Link, size ? size : 1);
    PyObject *blocks = links ? PyList_New(levels) : PyErr_NoMemory(), *iri, *level;
    while (blocks && found < size && PyDict_Next(args[1], &at, &iri, &level)) {
        links[found].level = PyLong_AsLong(level);
        if (PyErr_Occurred() || get_text(iri, &links[found].iri) < 0) {
            Py_CLEAR(blocks);
        } else if (links[found].level < 0 || links[found].level >= levels) {
            PyErr_SetString(PyExc_IndexError, "link_blocks: a level that there is not");
            Py_CLEAR(blocks);
        }
        found++;
    }
    if (blocks)
        qsort(links, (size_t)found, sizeof *links, compare_links);
    const Link *from = links;
    for (long i = 0; blocks && i < levels; i++) {
        const Link *to = from;
        while (to < links + found && to->level == i)
            to++;
        PyObject *block = block_of_level(args[0], from, to - from);
        if (block)
            PyList_SET_ITEM(blocks, i, block);
        else
            Py_CLEAR(blocks);
        from = to;
    }
    PyMem_Free(links);
    return blocks;
}

/* Number a saying, a new one as the next; -1 after a failure. */
static Py_ssize_t number_of(PyObject *numbers, PyObject *saying, PyObject *said) {
    PyObject *number = PyDict_GetItemWithError(numbers, saying);
    Py_ssize_t found = -1;
    if (number) {
        Py_INCREF(number);
    } else {
        number = PyErr_Occurred() ? NULL : PyLong_FromSsize_t(PyDict_GET_SIZE(numbers));
        if (number && PyDict_SetItem(numbers, saying, number) < 0)
            Py_CLEAR(number);
    }
    if (number && PyList_Append(said, number) == 0)
        found = PyLong_AsSsize_t(number);
    Py_XDECREF(number);
    return found;
}

KERNEL(section_line) {
    (void)module;
    if (check_arguments("section_line", args, count, 4, 1) < 0)
        return NULL;
    PyObject *base = args[0], *numbers = args[2], *said = args[3];
    PyObject *placed = PySequence_Tuple(args[1]);
    if (placed == NULL)
        return NULL;
    Buffer out = {0}, digits = {0};
    if (!PyDict_Check(numbers) || !PyList_Check(said)) {
        PyErr_SetString(PyExc_TypeError, "section_line: a dict and a list are needed");
        out.failed = 1;
    }
    put_text(&out, base);
    PUT(&out, "\t");
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(placed) && !out.failed && !digits.failed; i++) {
        PyObject *one = PyTuple_GET_ITEM(placed, i);
        if (!PyTuple_Check(one) || PyTuple_GET_SIZE(one) != 2 || !PyList_Check(PyTuple_GET_ITEM(one, 1))) {
            PyErr_SetString(PyExc_TypeError, "section_line: a place and a list of sayings are needed");
            out.failed = 1;
            break;
        }
        PyObject *sayings = PyTuple_GET_ITEM(one, 1);
        if (i)
            PUT(&out, " ");
        put_text(&out, PyTuple_GET_ITEM(one, 0));
        PUT(&out, ":");
        put_number(&out, PyList_GET_SIZE(sayings));
        for (Py_ssize_t j = 0; j < PyList_GET_SIZE(sayings) && !digits.failed; j++) {
            PyObject *saying = Py_NewRef(PyList_GET_ITEM(sayings, j));
            Py_ssize_t number = number_of(numbers, saying, said);
            Py_DECREF(saying);
            if (number < 0) {
                digits.failed = 1;
                break;
            }
            if (digits.size)
                PUT(&digits, " ");
            put_number(&digits, number);
        }
    }
    PUT(&out, "\t");
    if (digits.failed)
        out.failed = 1;
    else if (digits.size)
        put(&out, digits.data, digits.size);
    buffer_free(&digits);
    Py_DECREF(placed);
    return buffer_text(&out);
}
