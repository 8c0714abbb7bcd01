// The native algorithms as a Python module without torch; its functions are in *_module.cpp.
#include "python.hpp"

namespace specialize::python {

extern PyMethodDef text_methods[], words_methods[], vocabulary_methods[],
    units_methods[], tree_methods[];  // one table per file

namespace {

PyMethodDef* const kTables[] = {text_methods, words_methods, vocabulary_methods, units_methods,
                                tree_methods};

// Increase with every change visible to Python; specialize/native/__init__.py requires the same.
constexpr int kInterface = 12;

PyModuleDef module{PyModuleDef_HEAD_INIT, "specialize_native._core", nullptr, -1, nullptr,
                   nullptr, nullptr, nullptr, nullptr};

PyObject* create() {
  return guarded([] {
    Ref made(PyModule_Create(&module));
    for (PyMethodDef* table : kTables)
      if (PyModule_AddFunctions(made.get(), table) < 0) throw Failed{};
    if (PyModule_AddIntConstant(made.get(), "INTERFACE", kInterface) < 0) throw Failed{};
    return made.give();
  });
}

}  // namespace

}  // namespace specialize::python

PyMODINIT_FUNC PyInit__core() { return specialize::python::create(); }
