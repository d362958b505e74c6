/* Lines of a long text of which few are wanted: `facts.lines_at`. */

#include "kernels.h"

PyObject *lines_at(PyObject *module, PyObject *const *args, Py_ssize_t count) {
    (void)module;
    if (check_arguments("lines_at", args, count, 2, 0) < 0)
        return NULL;
    if (!PyBytes_Check(args[0]) || !PyList_Check(args[1])) {
        PyErr_SetString(PyExc_TypeError, "lines_at: bytes and a list of numbers are needed");
        return NULL;
    }
    const char *at = PyBytes_AS_STRING(args[0]), *end = at + PyBytes_GET_SIZE(args[0]);
    PyObject *found = PyList_New(0);
    Py_ssize_t line = 0;
    for (Py_ssize_t i = 0; found != NULL && i < PyList_GET_SIZE(args[1]); i++) {
        Py_ssize_t wanted = PyLong_AsSsize_t(PyList_GET_ITEM(args[1], i));
        if (wanted < line && !PyErr_Occurred())
            PyErr_SetString(PyExc_ValueError, "lines_at: the numbers do not rise");
        const char *stop = NULL;
        while (!PyErr_Occurred()) {
            if (at > end) {
                PyErr_SetString(PyExc_IndexError, "lines_at: no such line");
                break;
            }
            stop = memchr(at, '\n', (size_t)(end - at));
            if (stop == NULL)
                stop = end;
            if (line == wanted)
                break;
            at = stop + 1;
            line++;
        }
        PyObject *text = PyErr_Occurred() ? NULL : PyUnicode_DecodeUTF8(at, stop - at, NULL);
        if (text == NULL || PyList_Append(found, text) < 0)
            Py_CLEAR(found);
        Py_XDECREF(text);
        if (found == NULL)
            break;
        at = stop + 1;
        line++;
    }
    return found;
}
