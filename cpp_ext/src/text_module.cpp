// A text as counted tokens.
#include "python.hpp"

#include "specialize/prune.hpp"

namespace specialize::python {

namespace {

PyObject* text_new(PyObject*, PyObject*) {
  return guarded([] { return wrap(std::make_unique<Text>()); });
}

PyObject* text_feed(PyObject*, PyObject* arguments) {
  return guarded([&]() -> PyObject* {
    PyObject *text, *buffer;
    int whole;
    unsigned threads;
    parse(arguments, "OOpI", &text, &buffer, &whole, &threads);
    Text& to = unwrap<Text>(text);
    struct View {
      Py_buffer view;
      explicit View(PyObject* o) {
        if (PyObject_GetBuffer(o, &view, PyBUF_SIMPLE) < 0) throw Failed{};
      }
      ~View() { PyBuffer_Release(&view); }
    } bytes(buffer);
    unlocked([&] {
      to.feed(static_cast<const char*>(bytes.view.buf), static_cast<u64>(bytes.view.len),
              whole != 0, threads);
    });
    Py_RETURN_NONE;
  });
}

PyObject* text_size(PyObject*, PyObject* text) {
  return guarded([&] { return PyLong_FromSize_t(unwrap<Text>(text).tokens.size()); });
}

// -> characters, bytes
PyObject* text_extent(PyObject*, PyObject* text) {
  return guarded([&] {
    const Extent& of = unwrap<Text>(text).extent;
    return Py_BuildValue("(KK)", static_cast<unsigned long long>(of.characters),
                         static_cast<unsigned long long>(of.bytes));
  });
}

PyObject* text_tokens(PyObject*, PyObject* text) {
  return guarded([&] { return counted(unwrap<Text>(text).tokens.ordered()).give(); });
}

PyObject* text_valid(PyObject*, PyObject* arguments) {
  return guarded([&] {
    PyObject* text;
    unsigned threads;
    parse(arguments, "OI", &text, &threads);
    Text& of = unwrap<Text>(text);
    bool valid = false;
    unlocked([&] { valid = of.valid(threads); });
    return PyBool_FromLong(valid);
  });
}

PyObject* text_add(PyObject*, PyObject* arguments) {
  return guarded([&]() -> PyObject* {
    PyObject *text, *items;
    parse(arguments, "OO", &text, &items);
    add_items(unwrap<Text>(text), items);
    Py_RETURN_NONE;
  });
}

PyObject* text_merge(PyObject*, PyObject* arguments) {
  return guarded([&]() -> PyObject* {
    PyObject *text, *other;
    unsigned threads;
    parse(arguments, "OOI", &text, &other, &threads);
    Text& to = unwrap<Text>(text);
    const Text& from = unwrap<Text>(other);
    unlocked([&] { to.merge(from, threads); });
    Py_RETURN_NONE;
  });
}

// -> dropped types and their occurrences
PyObject* text_prune(PyObject*, PyObject* arguments) {
  return guarded([&] {
    PyObject* text;
    Py_ssize_t most;
    unsigned threads;
    parse(arguments, "OnI", &text, &most, &threads);
    Text& of = unwrap<Text>(text);
    Dropped dropped;
    unlocked([&] { dropped = prune(of.tokens, static_cast<std::size_t>(most), threads); });
    return Py_BuildValue("(KK)", static_cast<unsigned long long>(dropped.entries),
                         static_cast<unsigned long long>(dropped.occurrences));
  });
}

}  // namespace

PyMethodDef text_methods[] = {
    {"text_new", text_new, METH_NOARGS, nullptr},
    {"text_feed", text_feed, METH_VARARGS, nullptr},
    {"text_valid", text_valid, METH_VARARGS, nullptr},
    {"text_add", text_add, METH_VARARGS, nullptr},
    {"text_merge", text_merge, METH_VARARGS, nullptr},
    {"text_prune", text_prune, METH_VARARGS, nullptr},
    {"text_size", text_size, METH_O, nullptr},
    {"text_extent", text_extent, METH_O, nullptr},
    {"text_tokens", text_tokens, METH_O, nullptr},
    {nullptr, nullptr, 0, nullptr},
};

}  // namespace specialize::python
