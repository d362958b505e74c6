/* Gene rows: `extract.tables.columns`; `group_rows`, `gene_levels` and `mention_keys` of `rows`. */

#include "kernels.h"

/* The place of each column in what is returned, -1 for those that are not picked; NULL with an exception. */
static int *slots_of(PyObject *picks, Py_ssize_t width) {
    int *slots = PyMem_New(int, width);
    if (slots == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    for (Py_ssize_t i = 0; i < width; i++)
        slots[i] = -1;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(picks); i++) {
        Py_ssize_t pick = PyLong_AsSsize_t(PyTuple_GET_ITEM(picks, i));
        if (pick < 0 || pick >= width || slots[pick] >= 0) {
            if (!PyErr_Occurred())
                PyErr_SetString(PyExc_ValueError, "columns: a pick that is no column, or one twice");
            PyMem_Free(slots);
            return NULL;
        }
        slots[pick] = (int)i;
    }
    return slots;
}

/* Fill the lists with the cells of a body: 1 when each line has `width` of them, else 0, -1 with an exception. A cell
   that says the same as the one above it is the same object. */
static int split(const char *p, const char *end, Py_ssize_t width, const int *slots, PyObject *lists, Py_ssize_t rows) {
    for (Py_ssize_t row = 0; row < rows; row++) {
        for (Py_ssize_t column = 0; column < width; column++) {
            const char *start = p;
            while (p < end && *p != '\t' && *p != '\n')
                p++;
            if (column + 1 < width ? p == end || *p != '\t' : p < end && *p != '\n')
                return 0;
            Py_ssize_t size = p++ - start;
            if (slots[column] < 0)
                continue;
            PyObject *list = PyTuple_GET_ITEM(lists, slots[column]), *cell = NULL;
            if (row) {
                Py_ssize_t above;
                const char *text = PyUnicode_AsUTF8AndSize(PyList_GET_ITEM(list, row - 1), &above);
                if (text == NULL)
                    return -1;
                if (above == size && memcmp(text, start, (size_t)size) == 0)
                    cell = Py_NewRef(PyList_GET_ITEM(list, row - 1));
            }
            if (cell == NULL && (cell = PyUnicode_DecodeUTF8(start, size, NULL)) == NULL)
                return -1;
            PyList_SET_ITEM(list, row, cell);
        }
    }
    return 1;
}

KERNEL(columns) {
    (void)module;
    if (check_arguments("columns", args, count, 4, 1) < 0)
        return NULL;
    Py_ssize_t size, width = PyLong_AsSsize_t(args[1]), most = PyLong_AsSsize_t(args[3]);
    if (PyErr_Occurred())
        return NULL;
    if (width < 1 || !PyTuple_Check(args[2])) {
        PyErr_SetString(PyExc_TypeError, "columns: a number of columns and a tuple of picks are needed");
        return NULL;
    }
    const char *text = PyUnicode_AsUTF8AndSize(args[0], &size);
    if (text == NULL)
        return NULL;
    const char *end = text + size;
    Py_ssize_t rows = 1;
    for (const char *p = text; p < end && (p = memchr(p, '\n', (size_t)(end - p))) != NULL; p++)
        rows++;
    if (rows > most)
        Py_RETURN_NONE;
    int *slots = slots_of(args[2], width);
    if (slots == NULL)
        return NULL;
    PyObject *lists = PyTuple_New(PyTuple_GET_SIZE(args[2]));
    int done = lists ? 1 : -1;
    for (Py_ssize_t i = 0; done > 0 && i < PyTuple_GET_SIZE(lists); i++) {
        PyObject *list = PyList_New(rows);
        if (list)
            PyTuple_SET_ITEM(lists, i, list);
        else
            done = -1;
    }
    if (done > 0)
        done = split(text, end, width, slots, lists, rows);
    PyMem_Free(slots);
    if (done > 0)
        return lists;
    Py_XDECREF(lists);
    return done < 0 ? NULL : Py_NewRef(Py_None);
}

static int is_missing(PyObject *text) {
    Py_ssize_t size = PyUnicode_GET_LENGTH(text);
    return size == 0 || (size == 2 && PyUnicode_READ_CHAR(text, 0) == 'N' && PyUnicode_READ_CHAR(text, 1) == 'A');
}

/* Whether a text is a whole number of at most so many digits that does not begin with 0. */
static int is_id(PyObject *text, Py_ssize_t digits) {
    Py_ssize_t size = PyUnicode_GET_LENGTH(text);
    if (size < 1 || size > digits || !PyUnicode_IS_ASCII(text))
        return 0;
    const Py_UCS1 *data = PyUnicode_1BYTE_DATA(text);
    for (Py_ssize_t i = 0; i < size; i++)
        if (data[i] < (i ? '0' : '1') || data[i] > '9')
            return 0;
    return 1;
}

static int is_blank(PyObject *text) {
    for (Py_ssize_t i = 0; i < PyUnicode_GET_LENGTH(text); i++)
        if (!Py_UNICODE_ISSPACE(PyUnicode_READ_CHAR(text, i)))
            return 0;
    return 1;
}

/* The columns in the order of the arguments; name and group are None for rows that name no organism. */
enum { WORDS, MATCHES, SOURCES, GENE_IDS, SYMBOLS, TAXIDS, NAMES, GROUPS, LEXICONS, ARGUMENTS };

/* Texts that are made once for a call. */
typedef struct {
    PyObject *na, *none, *letter, *separator;
} Constants;

/* Join the parts of a saying, most of which are ASCII. */
static PyObject *join(const Constants *known, PyObject *const *parts, Py_ssize_t count) {
    Py_ssize_t size = count - 1;
    for (Py_ssize_t i = 0; i < count; i++) {
        Py_ssize_t more = PyUnicode_GET_LENGTH(parts[i]);
        if (!PyUnicode_IS_ASCII(parts[i]) || more > PY_SSIZE_T_MAX - size) {
            PyObject *all = PyTuple_New(count);
            if (all == NULL)
                return NULL;
            for (Py_ssize_t j = 0; j < count; j++)
                PyTuple_SET_ITEM(all, j, Py_NewRef(parts[j]));
            PyObject *made = PyUnicode_Join(known->separator, all);
            Py_DECREF(all);
            return made;
        }
        size += more;
    }
    PyObject *made = PyUnicode_New(size, 127);
    if (made == NULL)
        return NULL;
    Py_UCS1 *p = PyUnicode_1BYTE_DATA(made);
    for (Py_ssize_t i = 0; i < count; i++) {
        if (i)
            *p++ = 0x1F;
        Py_ssize_t more = PyUnicode_GET_LENGTH(parts[i]);
        memcpy(p, PyUnicode_1BYTE_DATA(parts[i]), (size_t)more);
        p += more;
    }
    return made;
}

/* Return the dict under a key of another one, which is put there if need be; borrowed, NULL with an exception. */
static PyObject *dict_under(PyObject *table, PyObject *key) {
    PyObject *found = PyDict_GetItemWithError(table, key);
    if (found || PyErr_Occurred())
        return found;
    found = PyDict_New();
    if (found == NULL || PyDict_SetItem(table, key, found) < 0) {
        Py_XDECREF(found);
        return NULL;
    }
    Py_DECREF(found);
    return found;
}

/* Count a taxonomy id beside an organism's name. */
static int count_organism(PyObject *organisms, PyObject *name, PyObject *taxid) {
    PyObject *counts = dict_under(organisms, name);
    PyObject *old = counts ? PyDict_GetItemWithError(counts, taxid) : NULL;
    if (counts == NULL || (old == NULL && PyErr_Occurred()))
        return -1;
    PyObject *number = PyLong_FromSsize_t(old ? PyLong_AsSsize_t(old) + 1 : 1);
    int done = number ? PyDict_SetItem(counts, taxid, number) : -1;
    Py_XDECREF(number);
    return done;
}

/* Whether a row may be taken at once: 1 or 0, -1 with an exception. What the row before had in a column is known. */
static int is_usual(PyObject *const *cell, PyObject *const *before, PyObject *lexicons) {
    if (is_blank(cell[WORDS]) || PyUnicode_GET_LENGTH(cell[MATCHES]) == 0)
        return 0;
    if (!is_missing(cell[GENE_IDS]) && !is_id(cell[GENE_IDS], 12))
        return 0;
    if (cell[TAXIDS] != before[TAXIDS] && !is_id(cell[TAXIDS], 10))
        return 0;
    return cell[SOURCES] == before[SOURCES] ? 1 : PyDict_Contains(lexicons, cell[SOURCES]);
}

/* Take a row: 1 when it is new, 2 when it repeats one, 0 when it contradicts one, -1 with an exception. */
static int take_row(const Constants *known, PyObject *const *cell, int named, PyObject *genes) {
    int has_id = !is_missing(cell[GENE_IDS]);
    PyObject *gene_id = has_id ? cell[GENE_IDS] : known->none;
    PyObject *symbol = has_id || PyUnicode_GET_LENGTH(cell[SYMBOLS]) ? cell[SYMBOLS] : known->na;
    PyObject *key = has_id ? PyTuple_Pack(3, cell[WORDS], cell[MATCHES], cell[SOURCES])
                           : PyTuple_Pack(6, cell[WORDS], cell[MATCHES], cell[SOURCES], known->na, symbol, cell[TAXIDS]);
    if (key == NULL)
        return -1;
    PyObject *members = dict_under(genes, key);
    Py_DECREF(key);
    if (members == NULL)
        return -1;
    PyObject *parts[] = {known->letter, gene_id, symbol, cell[TAXIDS], known->none, known->none};
    if (named && !is_missing(cell[NAMES]))
        parts[4] = cell[NAMES];
    if (named && !is_missing(cell[GROUPS]))
        parts[5] = cell[GROUPS];
    PyObject *saying = join(known, parts, named ? 6 : 4);
    if (saying == NULL)
        return -1;
    PyObject *old = PyDict_GetItemWithError(members, gene_id);
    int done = -1;
    if (old)
        done = PyUnicode_Compare(old, saying) == 0 ? 2 : 0;
    else if (!PyErr_Occurred() && PyDict_SetItem(members, gene_id, saying) == 0)
        done = 1;
    Py_DECREF(saying);
    return done;
}

/* Take all rows: genes, and in `counts` how many are new, repeated, without id. Returns as `take_row` does, not 2. */
static int take_rows(const Constants *known, PyObject *const *args, Py_ssize_t rows, PyObject *genes, PyObject *organisms,
                     Py_ssize_t counts[3]) {
    int named = args[NAMES] != Py_None;
    PyObject *before[LEXICONS] = {NULL}, *cell[LEXICONS] = {NULL};
    for (Py_ssize_t row = 0; row < rows; row++) {
        for (int column = 0; column < (named ? LEXICONS : NAMES); column++) {
            cell[column] = PyList_GET_ITEM(args[column], row);
            if (!PyUnicode_Check(cell[column]))
                return 0;
        }
        int done = is_usual(cell, before, args[LEXICONS]);
        if (done > 0)
            done = take_row(known, cell, named, genes);
        if (done <= 0)
            return done;
        counts[done - 1]++;
        if (done == 1) {
            counts[2] += is_missing(cell[GENE_IDS]);
            if (named && !is_missing(cell[NAMES]) && count_organism(organisms, cell[NAMES], cell[TAXIDS]) < 0)
                return -1;
        }
        memcpy(before, cell, sizeof cell);
    }
    return 1;
}

KERNEL(group_rows) {
    (void)module;
    if (check_arguments("group_rows", args, count, ARGUMENTS, 0) < 0)
        return NULL;
    int named = args[NAMES] != Py_None, known_types = PyList_Check(args[WORDS]) && PyDict_Check(args[LEXICONS]);
    for (int column = 1; column < (named ? LEXICONS : NAMES) && known_types; column++)
        known_types = PyList_Check(args[column]) && PyList_GET_SIZE(args[column]) == PyList_GET_SIZE(args[WORDS]);
    if (!known_types) {
        PyErr_SetString(PyExc_TypeError, "group_rows: lists of one length and a dict are needed");
        return NULL;
    }
    Constants known = {PyUnicode_FromString("NA"), PyUnicode_FromString(""), PyUnicode_FromString("R"),
                       PyUnicode_FromString("\x1f")};
    PyObject *genes = PyDict_New(), *organisms = PyDict_New(), *found = NULL;
    Py_ssize_t counts[3] = {0};
    if (known.na && known.none && known.letter && known.separator && genes && organisms) {
        int done = take_rows(&known, args, PyList_GET_SIZE(args[WORDS]), genes, organisms, counts);
        if (done > 0)
            found = Py_BuildValue("(OOnnn)", genes, organisms, counts[0], counts[1], counts[2]);
        else if (done == 0)
            found = Py_NewRef(Py_None);
    }
    Py_XDECREF(known.na);
    Py_XDECREF(known.none);
    Py_XDECREF(known.letter);
    Py_XDECREF(known.separator);
    Py_XDECREF(genes);
    Py_XDECREF(organisms);
    return found;
}

/* Note the level of a gene unless a better one is known. */
static int note_level(PyObject *levels, PyObject *prefix, PyObject *gene_id, PyObject *level) {
    PyObject *iri = PyUnicode_Concat(prefix, gene_id);
    PyObject *old = iri ? PyDict_GetItemWithError(levels, iri) : NULL;
    int done = PyErr_Occurred() ? -1 : 0;
    if (done == 0 && (old == NULL || PyLong_AsLong(old) > PyLong_AsLong(level)))
        done = PyErr_Occurred() ? -1 : PyDict_SetItem(levels, iri, level);
    Py_XDECREF(iri);
    return done;
}

KERNEL(gene_levels) {
    (void)module;
    if (check_arguments("gene_levels", args, count, 3, 1) < 0)
        return NULL;
    PyObject *levels = PyDict_Check(args[1]) && PyDict_Check(args[2]) ? PyDict_New() : NULL, *cells, *members, *gene_id;
    if (levels == NULL && !PyErr_Occurred())
        PyErr_SetString(PyExc_TypeError, "gene_levels: two dicts are needed");
    Py_ssize_t at = 0;
    while (levels && PyDict_Next(args[1], &at, &cells, &members)) {
        if (!PyTuple_Check(cells) || !PyDict_Check(members)) {
            PyErr_SetString(PyExc_TypeError, "gene_levels: dicts by cells are needed");
            Py_CLEAR(levels);
            break;
        }
        if (PyTuple_GET_SIZE(cells) != 3)
            continue;
        PyObject *level = PyDict_GetItemWithError(args[2], PyTuple_GET_ITEM(cells, 2));
        if (level == NULL && !PyErr_Occurred())
            PyErr_SetObject(PyExc_KeyError, PyTuple_GET_ITEM(cells, 2));
        if (level == NULL)
            Py_CLEAR(levels);
        Py_ssize_t inner = 0;
        while (levels && PyDict_Next(members, &inner, &gene_id, NULL))
            if (note_level(levels, args[0], gene_id, level) < 0)
                Py_CLEAR(levels);
    }
    return levels;
}

/* Return the key of a mention: a prefix, a dash and the first 12 hex digits of the hash of its cells. */
static PyObject *key_of(PyObject *prefix, PyObject *cells, Buffer *text) {
    if (!PyTuple_Check(cells))
        return PyErr_Format(PyExc_TypeError, "mention_keys: cells are a tuple");
    text->size = 0;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(cells); i++) {
        if (i)
            PUT(text, "\x1f");
        put_text(text, PyTuple_GET_ITEM(cells, i));
    }
    if (text->failed)
        return NULL;
    unsigned char digest[32];
    sha256((const unsigned char *)(text->data ? text->data : ""), (size_t)text->size, digest);
    Py_ssize_t size = PyUnicode_GET_LENGTH(prefix);
    PyObject *key = PyUnicode_New(size + 13, 127);
    if (key == NULL)
        return NULL;
    Py_UCS1 *p = PyUnicode_1BYTE_DATA(key);
    memcpy(p, PyUnicode_1BYTE_DATA(prefix), (size_t)size);
    p += size;
    *p++ = '-';
    for (int i = 0; i < 6; i++) {
        *p++ = (Py_UCS1)"0123456789abcdef"[digest[i] >> 4];
        *p++ = (Py_UCS1)"0123456789abcdef"[digest[i] & 15];
    }
    return key;
}

KERNEL(mention_keys) {
    (void)module;
    if (check_arguments("mention_keys", args, count, 2, 1) < 0)
        return NULL;
    if (!PyUnicode_IS_ASCII(args[0]) || PyUnicode_GET_LENGTH(args[0]) > 100) {
        PyErr_SetString(PyExc_ValueError, "mention_keys: a short ASCII prefix is needed");
        return NULL;
    }
    PyObject *groups = PySequence_Tuple(args[1]);
    PyObject *keys = groups ? PyList_New(PyTuple_GET_SIZE(groups)) : NULL;
    Buffer text = {0};
    for (Py_ssize_t i = 0; keys && i < PyTuple_GET_SIZE(groups); i++) {
        PyObject *key = key_of(args[0], PyTuple_GET_ITEM(groups, i), &text);
        if (key)
            PyList_SET_ITEM(keys, i, key);
        else
            Py_CLEAR(keys);
    }
    buffer_free(&text);
    Py_XDECREF(groups);
    return keys;
}
