/* The usual front matter: `extract.plain_yaml.read`, line by line in one pass. What is not surely of the usual form
   is OTHER, for which Python gets None. The text is UTF-8 without controls, which `is_odd` has seen to. */

#include "kernels.h"

enum { LARGEST = 256 * 1024, DEEPEST_INDENT = 4, LONGEST_KEY = 100, LONGEST_QUOTED_KEY = 99 };

enum { READ = 0, OTHER = -1 }; /* OTHER also where an exception is set */

typedef struct {
    const char *at, *end; /* `end` can be read: a line end or a NUL stands there */
    Py_ssize_t line;
} Reader;

/* Whether there is a control (also a tab), or another character that YAML or the data model treats apart. */
static int is_odd(const char *text, const char *end) {
    for (const unsigned char *p = (const unsigned char *)text; p < (const unsigned char *)end; p++) {
        if (*p >= 0x20 && *p < 0x7F)
            continue;
        if ((*p < 0x20 && *p != '\n') || *p == 0x7F)
            return 1;
        if (*p == 0xC2 && p[1] < 0xA0) /* C1 controls */
            return 1;
        if (*p == 0xE2 && p[1] == 0x80 && (p[2] == 0xA8 || p[2] == 0xA9)) /* U+2028, U+2029 */
            return 1;
        if (*p == 0xEF && ((p[1] == 0xBB && p[2] == 0xBF) || (p[1] == 0xBF && p[2] >= 0xBE))) /* U+FEFF, FFFE, FFFF */
            return 1;
    }
    return 0;
}

static const char *line_end(const Reader *in, const char *p) {
    const char *found = p < in->end ? memchr(p, '\n', (size_t)(in->end - p)) : NULL;
    return found ? found : in->end;
}

/* Whether the line at `p` begins with so many blanks. */
static int indented(const Reader *in, const char *p, int indent) {
    if (in->end - p < indent)
        return 0;
    for (int i = 0; i < indent; i++)
        if (p[i] != ' ')
            return 0;
    return 1;
}

/* Whether the line that comes next begins with so many blanks and has another character, no line end, after `more`. */
static int goes_on(const Reader *in, int indent, int more) {
    return indented(in, in->at, indent) && in->end - in->at > indent + more && in->at[indent + more] != '\n';
}

/* Whether an item's dash stands after so many blanks. */
static int has_dash(const Reader *in, int indent) {
    return goes_on(in, indent, 0) && in->at[indent] == '-' && in->at + indent + 1 < in->end && in->at[indent + 1] == ' ';
}

static int is_letter(char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
}

/* Find the key at `p`: return what follows it, or NULL where none stands. */
static const char *find_key(const Reader *in, const char *p, const char **key, Py_ssize_t *size) {
    const char *start = p;
    if (p < in->end && is_letter(*p)) {
        while (p < in->end && (is_letter(*p) || (*p >= '0' && *p <= '9') || *p == '-'))
            p++;
        *key = start;
        *size = p - start;
        return *size <= LONGEST_KEY ? p : NULL;
    }
    if (p >= in->end || *p != '\'')
        return NULL;
    int characters = 0;
    for (p++; p < in->end && *p != '\'' && *p != '\n' && characters <= LONGEST_QUOTED_KEY; p++)
        characters += (*p & 0xC0) != 0x80;
    while (p < in->end && (*p & 0xC0) == 0x80) /* the rest of the last character */
        p++;
    if (p >= in->end || *p != '\'' || characters < 1 || characters > LONGEST_QUOTED_KEY)
        return NULL;
    *key = start + 1;
    *size = p - *key;
    return p + 1;
}

/* Put a new key into a map; OTHER if it is there already. */
static int add(PyObject *map, PyObject *key, PyObject *value) {
    Py_ssize_t before = PyDict_GET_SIZE(map);
    if (PyDict_SetItem(map, key, value) < 0)
        return OTHER;
    return PyDict_GET_SIZE(map) > before ? READ : OTHER;
}

/* Whether a scalar, with the line ends and blanks within it, is surely plain. */
static int is_plain(const char *p, const char *end) {
    if (memchr(" -?:,[]{}#&*!|>'\"%@`", *p, 20))
        return 0;
    for (; p < end; p++) {
        if (*p == ':' && (p + 1 == end || p[1] == ' ' || p[1] == '\n'))
            return 0;
        if (*p == '#' && p[-1] == ' ') /* the first character is no number sign */
            return 0;
    }
    return 1;
}

/* The text of a scalar: line ends and the blanks after them made one blank, doubled `quote`s single (0 for none). */
static PyObject *unfolded(const char *p, const char *end, int indent, char quote) {
    char *text = PyMem_Malloc((size_t)(end - p) + 1);
    if (text == NULL)
        return PyErr_NoMemory();
    Py_ssize_t size = 0;
    while (p < end) {
        text[size++] = *p == '\n' ? ' ' : *p;
        p += *p == '\n' ? 1 + indent : quote && *p == quote ? 2 : 1;
    }
    PyObject *made = PyUnicode_DecodeUTF8(text, size, NULL);
    PyMem_Free(text);
    return made;
}

/* Read the scalar at `in->at`, whose further lines are indented by so many blanks, or a `[]` where a list may be. */
static int read_scalar(Reader *in, int indent, int may_be_list, PyObject **value) {
    const char *start = in->at, *end = line_end(in, start);
    Py_ssize_t lines = 1;
    for (;; lines++) {
        if (end == start || end[-1] == ' ')
            return OTHER;
        in->at = end < in->end ? end + 1 : in->end;
        if (!goes_on(in, indent, 0) || in->at[indent] == ' ')
            break;
        end = line_end(in, in->at);
    }
    in->line += lines;
    char first = *start;
    int folded = lines > 1, doubled = 0;
    if (first == '\'' || first == '"') {
        if (end - start < 2 || end[-1] != first)
            return OTHER;
        start++;
        end--;
        for (const char *p = start; p < end; p++) {
            if (first == '"' && (*p == '"' || *p == '\\'))
                return OTHER;
            if (first == '\'' && *p == '\'') {
                if (p + 1 == end || p[1] != '\'')
                    return OTHER;
                doubled = 1;
                p++;
            }
        }
    } else if (end - start == 2 && start[0] == '[' && start[1] == ']') {
        if (!may_be_list)
            return OTHER;
        *value = PyList_New(0);
        return *value ? READ : OTHER;
    } else if (!is_plain(start, end)) {
        return OTHER;
    }
    *value = folded || doubled ? unfolded(start, end, indent, doubled ? '\'' : 0)
                               : PyUnicode_DecodeUTF8(start, end - start, NULL);
    return *value ? READ : OTHER;
}

static int append_number(PyObject *list, Py_ssize_t number) {
    PyObject *made = PyLong_FromSsize_t(number);
    int done = made ? PyList_Append(list, made) : -1;
    Py_XDECREF(made);
    return done;
}

/* Read the items whose dashes stand after so many blanks. */
static int read_list(Reader *in, int indent, PyObject *found, PyObject *lines) {
    while (has_dash(in, indent)) {
        PyObject *item = NULL;
        if (append_number(lines, in->line) < 0)
            return OTHER;
        in->at += indent + 2;
        if (read_scalar(in, indent + 2, 0, &item) < 0)
            return OTHER;
        int done = PyList_Append(found, item);
        Py_DECREF(item);
        if (done < 0)
            return OTHER;
    }
    return READ;
}

/* Read `key: scalar` at `in->at` into a map. */
static int read_pair(Reader *in, int indent, PyObject *map) {
    const char *key;
    Py_ssize_t size;
    const char *p = find_key(in, in->at, &key, &size);
    if (p == NULL || in->end - p < 2 || p[0] != ':' || p[1] != ' ')
        return OTHER;
    in->at = p + 2;
    PyObject *value = NULL;
    if (read_scalar(in, indent, 1, &value) < 0)
        return OTHER;
    PyObject *name = PyUnicode_DecodeUTF8(key, size, NULL);
    int done = name ? add(map, name, value) : OTHER;
    Py_XDECREF(name);
    Py_DECREF(value);
    return done;
}

/* Read the maps of a list whose dashes stand after so many blanks; the first line has one. */
static int read_maps(Reader *in, int indent, PyObject *found, PyObject *lines) {
    PyObject *map = NULL; /* borrowed from the list */
    while (goes_on(in, indent, 2) && (in->at[indent] == '-' || in->at[indent] == ' ') && in->at[indent + 1] == ' ') {
        if (in->at[indent] == '-') {
            map = PyDict_New();
            int done = map ? PyList_Append(found, map) : -1;
            Py_XDECREF(map);
            if (done < 0 || append_number(lines, in->line) < 0)
                return OTHER;
        }
        in->at += indent + 2;
        if (map == NULL || read_pair(in, indent + 4, map) < 0)
            return OTHER;
    }
    return READ;
}

static int read_map(Reader *in, int indent, PyObject *map, PyObject *lines, PyObject *items);

/* Read the list or map on the lines below its key; `items` is NULL where nobody asks for the lines of items. */
static int read_below(Reader *in, int indent, PyObject *name, PyObject *items, PyObject **value) {
    int deeper = has_dash(in, indent) ? 0 : 2;
    if (deeper && !has_dash(in, indent + 2)) {
        if (indent + 2 > DEEPEST_INDENT || !goes_on(in, indent + 2, 0))
            return OTHER;
        *value = PyDict_New();
        return *value ? read_map(in, indent + 2, *value, NULL, NULL) : OTHER;
    }
    const char *key;
    Py_ssize_t size;
    const char *p = deeper ? NULL : find_key(in, in->at + indent + 2, &key, &size);
    int has_maps = p != NULL && in->end - p >= 2 && p[0] == ':' && p[1] == ' ';
    PyObject *lines = PyList_New(0);
    *value = PyList_New(0);
    int done = OTHER;
    if (lines && *value)
        done = has_maps ? read_maps(in, indent, *value, lines) : read_list(in, indent + deeper, *value, lines);
    if (done == READ && items && PyDict_SetItem(items, name, lines) < 0)
        done = OTHER;
    Py_XDECREF(lines);
    return done;
}

/* Read the entry at `in->at`, behind its indent, into a map. */
static int read_entry(Reader *in, int indent, PyObject *map, PyObject *lines, PyObject *items) {
    const char *key;
    Py_ssize_t size;
    const char *p = find_key(in, in->at, &key, &size);
    if (p == NULL || in->end - p < 2 || p[0] != ':' || (p[1] != ' ' && p[1] != '\n'))
        return OTHER;
    PyObject *name = PyUnicode_DecodeUTF8(key, size, NULL);
    if (name == NULL)
        return OTHER;
    PyObject *value = NULL, *line = NULL;
    int done = OTHER;
    if (lines) {
        line = PyLong_FromSsize_t(in->line);
        if (line == NULL || PyDict_SetItem(lines, name, line) < 0)
            goto end;
    }
    in->at = p + 2;
    if (p[1] == ' ') {
        done = read_scalar(in, indent + 2, 1, &value);
    } else {
        in->line++;
        done = read_below(in, indent, name, items, &value);
    }
    if (done == READ)
        done = add(map, name, value);
end:
    Py_XDECREF(line);
    Py_XDECREF(value);
    Py_DECREF(name);
    return done;
}

/* Read the entries that stand after so many blanks; those of the first map are the whole text. */
static int read_map(Reader *in, int indent, PyObject *map, PyObject *lines, PyObject *items) {
    while (indent == 0 ? in->at < in->end : goes_on(in, indent, 0)) {
        in->at += indent;
        if (read_entry(in, indent, map, lines, items) < 0)
            return OTHER;
    }
    return PyDict_GET_SIZE(map) > 0 ? READ : OTHER;
}

KERNEL(read_plain_yaml) {
    (void)module;
    if (check_arguments("read_plain_yaml", args, count, 1, 1) < 0)
        return NULL;
    Py_ssize_t size;
    const char *text = PyUnicode_AsUTF8AndSize(args[0], &size);
    if (text == NULL) {
        if (!PyErr_ExceptionMatches(PyExc_UnicodeEncodeError)) /* a surrogate */
            return NULL;
        PyErr_Clear();
        Py_RETURN_NONE;
    }
    const char *end = text + size;
    while (end > text && end[-1] == '\n')
        end--;
    Py_ssize_t characters = PyUnicode_GET_LENGTH(args[0]) - (text + size - end);
    if (characters + 1 > LARGEST || is_odd(text, end))
        Py_RETURN_NONE;
    Reader in = {text, end, 2};
    PyObject *map = PyDict_New(), *lines = PyDict_New(), *items = PyDict_New(), *found = NULL;
    if (map && lines && items) {
        if (read_map(&in, 0, map, lines, items) == READ)
            found = PyTuple_Pack(3, map, lines, items);
        else if (!PyErr_Occurred())
            found = Py_NewRef(Py_None);
    }
    Py_XDECREF(map);
    Py_XDECREF(lines);
    Py_XDECREF(items);
    return found;
}
