/* What the kernels share: a text that grows, and the functions that `module.c` shows to Python.

   The kernels are the hottest leaf functions of the converter once more, in C. Each has the contract of the Python
   function that it stands for, which stays the reference (`pfocr_rdf.native` chooses; tests/test_native.py holds both
   against each other). None of them keeps anything between two calls. */

#ifndef PFOCR_KERNELS_H
#define PFOCR_KERNELS_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdint.h>
#include <string.h>

/* Bytes of UTF-8 that grow. After a failure, of which an exception tells, nothing more is taken. */
typedef struct {
    char *data;
    Py_ssize_t size, room;
    int failed;
} Buffer;

/* Add `size` bytes. */
void put(Buffer *out, const char *text, Py_ssize_t size);
/* Add a str as UTF-8. */
void put_text(Buffer *out, PyObject *text);
/* Add a str as Turtle escapes it between quotes, with the quotes. */
void put_literal(Buffer *out, PyObject *text);
/* Add a number that is not negative, in decimal digits. */
void put_number(Buffer *out, Py_ssize_t number);
/* Return what was added as bytes or as a str and free the buffer; NULL with an exception after a failure. */
PyObject *buffer_bytes(Buffer *out);
PyObject *buffer_text(Buffer *out);
void buffer_free(Buffer *out);

#define PUT(out, literal) put((out), (literal), (Py_ssize_t)sizeof(literal) - 1)

/* Return the SHA-256 of a text whose length is below 2^60. */
void sha256(const unsigned char *data, size_t size, unsigned char digest[32]);

/* Whether all arguments are there, and the first ones are strs; else -1 with a TypeError. */
int check_arguments(const char *name, PyObject *const *args, Py_ssize_t given, Py_ssize_t wanted, Py_ssize_t texts);

#define KERNEL(name) PyObject *name(PyObject *module, PyObject *const *args, Py_ssize_t count)
KERNEL(read_plain_yaml);
KERNEL(columns);
KERNEL(group_rows);
KERNEL(mention_keys);
KERNEL(gene_blocks);
KERNEL(turtle_string);
KERNEL(turtle_block);
KERNEL(section_line);
KERNEL(gene_levels);
KERNEL(link_blocks);
KERNEL(usual_files);
KERNEL(lines_at);

#endif
