/* A text that grows, and what is written into it. */

#include "kernels.h"

static void fail(Buffer *out) {
    out->failed = 1;
}

void put(Buffer *out, const char *text, Py_ssize_t size) {
    if (out->failed || size == 0)
        return;
    if (size > out->room - out->size) {
        if (out->size > PY_SSIZE_T_MAX / 4 || size > PY_SSIZE_T_MAX / 4) {
            PyErr_NoMemory();
            fail(out);
            return;
        }
        Py_ssize_t room = 2 * (out->size + size) + 512;
        char *data = PyMem_Realloc(out->data, (size_t)room);
        if (data == NULL) {
            PyErr_NoMemory();
            fail(out);
            return;
        }
        out->data = data;
        out->room = room;
    }
    memcpy(out->data + out->size, text, (size_t)size);
    out->size += size;
}

/* The UTF-8 of a str; NULL, and the buffer has failed, where it has none (surrogates) or is no str. */
static const char *utf8(Buffer *out, PyObject *text, Py_ssize_t *size) {
    const char *found = out->failed ? NULL : PyUnicode_AsUTF8AndSize(text, size);
    if (found == NULL)
        fail(out);
    return found;
}

void put_text(Buffer *out, PyObject *text) {
    Py_ssize_t size;
    const char *data = utf8(out, text, &size);
    if (data)
        put(out, data, size);
}

static const char *escaped(char c) {
    switch (c) {
    case '\\':
        return "\\\\";
    case '"':
        return "\\\"";
    case '\n':
        return "\\n";
    case '\r':
        return "\\r";
    case '\t':
        return "\\t";
    default:
        return NULL;
    }
}

void put_literal(Buffer *out, PyObject *text) {
    Py_ssize_t size;
    const char *data = utf8(out, text, &size);
    if (data == NULL)
        return;
    PUT(out, "\"");
    const char *end = data + size, *from = data;
    for (const char *p = data; p < end; p++) {
        const char *instead = escaped(*p);
        if (instead) {
            put(out, from, p - from);
            put(out, instead, 2);
            from = p + 1;
        }
    }
    put(out, from, end - from);
    PUT(out, "\"");
}

void put_number(Buffer *out, Py_ssize_t number) {
    char digits[24];
    char *p = digits + sizeof digits;
    do {
        *--p = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    put(out, p, digits + sizeof digits - p);
}

void buffer_free(Buffer *out) {
    PyMem_Free(out->data);
    out->data = NULL;
}

PyObject *buffer_bytes(Buffer *out) {
    PyObject *made = out->failed ? NULL : PyBytes_FromStringAndSize(out->data, out->size);
    buffer_free(out);
    return made;
}

PyObject *buffer_text(Buffer *out) {
    PyObject *made = out->failed ? NULL : PyUnicode_DecodeUTF8(out->data ? out->data : "", out->size, NULL);
    buffer_free(out);
    return made;
}
