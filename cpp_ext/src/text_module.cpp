// A text as counted tokens.
#include <unistd.h>

#include <cerrno>

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
    const Buffer bytes(buffer, PyBUF_SIMPLE);
    unlocked([&] {
      to.feed(static_cast<const char*>(bytes.view.buf), static_cast<u64>(bytes.view.len),
              whole != 0, threads);
    });
    Py_RETURN_NONE;
  });
}

// Feeds an open file of about ``size`` bytes to its end, ``most`` at a time; False at a NUL, where
// it stops.
PyObject* text_feed_file(PyObject*, PyObject* arguments) {
  return guarded([&] {
    PyObject* text;
    int file;
    unsigned long long size;
    unsigned most, threads;
    parse(arguments, "OiKII", &text, &file, &size, &most, &threads);
    Text& to = unwrap<Text>(text);
    to.expect(size);
    const auto block = std::make_unique_for_overwrite<char[]>(most);
    ssize_t n = 1;
    bool nul = false;
    int fault = 0;
    while (n && !nul) {
      unlocked([&] {
        n = read(file, block.get(), most);
        if (n < 0) return void(fault = errno);
        nul = std::memchr(block.get(), 0, static_cast<std::size_t>(n));
        if (!nul) to.feed(block.get(), static_cast<u64>(n), n == 0, threads);
      });
      if (PyErr_CheckSignals() < 0) throw Failed{};
      if (n < 0 && fault != EINTR) {
        errno = fault;
        PyErr_SetFromErrno(PyExc_OSError);
        throw Failed{};
      }
    }
    return PyBool_FromLong(!nul);
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

// Calls write(bytes) with rows of a count, a tab, a token and LF, by first occurrence -> the sum of
// the counts.
PyObject* text_write(PyObject*, PyObject* arguments) {
  return guarded([&] {
    PyObject *text, *write;
    unsigned threads;
    parse(arguments, "OOI", &text, &write, &threads);
    const std::vector<const Entry*> all = unwrap<Text>(text).sound(threads).ordered();
    unsigned long long sum = 0;
    std::string rows;
    const auto flush = [&] {
      Ref bytes(PyBytes_FromStringAndSize(rows.data(), static_cast<Py_ssize_t>(rows.size())));
      Ref(PyObject_CallFunctionObjArgs(write, bytes.get(), nullptr));
      rows.clear();
    };
    for (const Entry* e : all) {
      sum += e->count();
      rows.append(std::to_string(e->count())).append("\t").append(e->view()).append("\n");
      if (rows.size() >= std::size_t{1} << 20) flush();
    }
    flush();
    return PyLong_FromUnsignedLongLong(sum);
  });
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
    {"text_feed_file", text_feed_file, METH_VARARGS, nullptr},
    {"text_valid", text_valid, METH_VARARGS, nullptr},
    {"text_add", text_add, METH_VARARGS, nullptr},
    {"text_merge", text_merge, METH_VARARGS, nullptr},
    {"text_prune", text_prune, METH_VARARGS, nullptr},
    {"text_size", text_size, METH_O, nullptr},
    {"text_extent", text_extent, METH_O, nullptr},
    {"text_tokens", text_tokens, METH_O, nullptr},
    {"text_write", text_write, METH_VARARGS, nullptr},
    {nullptr, nullptr, 0, nullptr},
};

}  // namespace specialize::python
