/* Folders: `extract.listing.usual_files`. */

#include "kernels.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#if defined(__APPLE__)
#define MODIFIED st_mtimespec
#else
#define MODIFIED st_mtim
#endif

typedef struct {
    char *name;
    long long size, changed;
    unsigned long long device, number;
} File;

typedef struct {
    File *files;
    Py_ssize_t count, room;
} Files;

static void files_free(Files *found) {
    for (Py_ssize_t i = 0; i < found->count; i++)
        free(found->files[i].name);
    free(found->files);
}

static int by_name(const void *one, const void *other) {
    return strcmp(((const File *)one)->name, ((const File *)other)->name);
}

/* Whether a name is ASCII and ends with one of the suffixes. */
static int is_usual(const char *name, size_t size, PyObject *suffixes) {
    for (size_t i = 0; i < size; i++)
        if ((unsigned char)name[i] >= 128)
            return 0;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(suffixes); i++) {
        Py_ssize_t length;
        const char *suffix = PyUnicode_AsUTF8AndSize(PyTuple_GET_ITEM(suffixes, i), &length);
        if (suffix == NULL)
            return -1;
        if (size >= (size_t)length && memcmp(name + size - length, suffix, (size_t)length) == 0)
            return 1;
    }
    return 0;
}

static int keep(Files *found, const char *name, size_t size, const struct stat *state) {
    if (found->count == found->room) {
        Py_ssize_t room = found->room ? 2 * found->room : 1024;
        File *files = realloc(found->files, (size_t)room * sizeof(File));
        if (files == NULL)
            return -1;
        found->files = files;
        found->room = room;
    }
    char *copy = malloc(size + 1);
    if (copy == NULL)
        return -1;
    memcpy(copy, name, size + 1);
    found->files[found->count++] = (File){
        copy,
        (long long)state->st_size,
        (long long)state->MODIFIED.tv_sec * 1000000000LL + state->MODIFIED.tv_nsec,
        (unsigned long long)state->st_dev,
        (unsigned long long)state->st_ino,
    };
    return 0;
}

/* Read the folder: usual files to `found`, the names of all else to the list `others`. */
static int scan(DIR *folder, PyObject *place, PyObject *suffixes, Files *found, PyObject *others) {
    for (;;) {
        errno = 0;
        struct dirent *entry = readdir(folder);
        if (entry == NULL) {
            if (errno == 0)
                return 0;
            PyErr_SetFromErrnoWithFilenameObject(PyExc_OSError, place);
            return -1;
        }
        const char *name = entry->d_name;
        if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
            continue;
        size_t size = strlen(name);
        int usual = name[0] == '.' ? 0 : is_usual(name, size, suffixes);
        struct stat state;
        if (usual < 0)
            return -1;
        if (usual) {
            if (fstatat(dirfd(folder), name, &state, AT_SYMLINK_NOFOLLOW) < 0) {
                PyObject *missing = PyUnicode_FromFormat("%U/%s", place, name);
                if (missing != NULL)
                    PyErr_SetFromErrnoWithFilenameObject(PyExc_OSError, missing);
                Py_XDECREF(missing);
                return -1;
            }
            usual = S_ISREG(state.st_mode);
        }
        if (usual) {
            if (keep(found, name, size, &state) < 0) {
                PyErr_NoMemory();
                return -1;
            }
            continue;
        }
        PyObject *other = PyUnicode_DecodeFSDefaultAndSize(name, (Py_ssize_t)size);
        int failed = other == NULL || PyList_Append(others, other) < 0;
        Py_XDECREF(other);
        if (failed)
            return -1;
    }
}

static PyObject *signature(const File *file, long long newest) {
    char text[96];
    if (file->changed >= newest)
        return PyUnicode_New(0, 0);
    int size = snprintf(text, sizeof text, "%lld-%lld-%llx.%llx", file->size, file->changed, file->device, file->number);
    return PyUnicode_FromStringAndSize(text, size);
}

PyObject *usual_files(PyObject *module, PyObject *const *args, Py_ssize_t count) {
    (void)module;
    if (check_arguments("usual_files", args, count, 4, 2) < 0)
        return NULL;
    PyObject *suffixes = args[2];
    long long newest = PyLong_AsLongLong(args[3]);
    if (newest == -1 && PyErr_Occurred())
        return NULL;
    if (!PyTuple_Check(suffixes)) {
        PyErr_SetString(PyExc_TypeError, "usual_files: a tuple of suffixes is needed");
        return NULL;
    }
    PyObject *encoded;
    if (!PyUnicode_FSConverter(args[0], &encoded))
        return NULL;
    DIR *folder = opendir(PyBytes_AS_STRING(encoded));
    Py_DECREF(encoded);
    if (folder == NULL)
        return PyErr_SetFromErrnoWithFilenameObject(PyExc_OSError, args[0]);
    Files found = {NULL, 0, 0};
    PyObject *others = PyList_New(0), *paths = NULL, *signatures = NULL, *result = NULL;
    int failed = others == NULL || scan(folder, args[0], suffixes, &found, others) < 0;
    closedir(folder);
    if (!failed && found.count > 1)
        qsort(found.files, (size_t)found.count, sizeof(File), by_name);
    if (!failed) {
        paths = PyList_New(found.count);
        signatures = PyList_New(found.count);
        failed = paths == NULL || signatures == NULL;
    }
    long long bytes = 0;
    for (Py_ssize_t i = 0; !failed && i < found.count; i++) {
        PyObject *path = PyUnicode_FromFormat("%U%s", args[1], found.files[i].name);
        PyObject *sign = path == NULL ? NULL : signature(&found.files[i], newest);
        if (sign == NULL) {
            Py_XDECREF(path);
            failed = 1;
            break;
        }
        PyList_SET_ITEM(paths, i, path);
        PyList_SET_ITEM(signatures, i, sign);
        bytes += found.files[i].size;
    }
    files_free(&found);
    if (!failed)
        result = Py_BuildValue("(OOLO)", paths, signatures, bytes, others);
    Py_XDECREF(paths);
    Py_XDECREF(signatures);
    Py_XDECREF(others);
    return result;
}
