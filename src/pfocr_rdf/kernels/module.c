/* The module `pfocr_rdf._native`: what `kernels.h` declares, for Python. */

#include "kernels.h"

/* Counts up with each change of what a kernel takes or gives; `pfocr_rdf.native` uses no other revision. */
#define REVISION 3

int check_arguments(const char *name, PyObject *const *args, Py_ssize_t given, Py_ssize_t wanted, Py_ssize_t texts) {
    if (given != wanted) {
        PyErr_Format(PyExc_TypeError, "%s: %zd arguments, not %zd, are needed", name, wanted, given);
        return -1;
    }
    for (Py_ssize_t i = 0; i < texts; i++) {
        if (!PyUnicode_Check(args[i])) {
            PyErr_Format(PyExc_TypeError, "%s: a str is needed, not %.100s", name, Py_TYPE(args[i])->tp_name);
            return -1;
        }
    }
    return 0;
}

#define METHOD(name, doc) {#name, (PyCFunction)(void (*)(void))(name), METH_FASTCALL, doc}

static PyMethodDef methods[] = {
    METHOD(read_plain_yaml, "See pfocr_rdf.extract.plain_yaml.read."),
    METHOD(columns, "See pfocr_rdf.extract.tables.columns."),
    METHOD(group_rows, "See pfocr_rdf.rows.group_rows."),
    METHOD(mention_keys, "See pfocr_rdf.rows.mention_keys."),
    METHOD(gene_blocks, "See pfocr_rdf.mapping.mention.gene_blocks."),
    METHOD(turtle_string, "See pfocr_rdf.terms.string."),
    METHOD(turtle_block, "See pfocr_rdf.serialize.turtle_block."),
    METHOD(section_line, "See pfocr_rdf.facts.section_line."),
    METHOD(gene_levels, "See pfocr_rdf.rows.gene_levels."),
    METHOD(link_blocks, "See pfocr_rdf.mapping.figure.link_blocks."),
    METHOD(lines_at, "See pfocr_rdf.facts.lines_at."),
    METHOD(usual_files, "See pfocr_rdf.extract.listing.usual_files."),
    {NULL, NULL, 0, NULL},
};

static int set_up(PyObject *module) {
    return PyModule_AddIntConstant(module, "REVISION", REVISION);
}

static PyModuleDef_Slot slots[] = {
    {Py_mod_exec, set_up},
    {0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "_native", "The hottest functions of pfocr_rdf, compiled.", 0, methods, slots, NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit__native(void) {
    return PyModuleDef_Init(&definition);
}
