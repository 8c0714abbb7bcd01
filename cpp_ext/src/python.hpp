// Shared by the files of the module: references, errors, and values between Python and C++.
//
// The limited API of Python 3.11 only, so one binary works with every later Python.
#pragma once

#define PY_SSIZE_T_CLEAN
#undef Py_LIMITED_API  // setuptools sets that of the oldest Python it supports
#define Py_LIMITED_API 0x030B0000
#include <Python.h>

#include <limits>
#include <utility>

#include "specialize/require.hpp"
#include "specialize/rules.hpp"
#include "specialize/text.hpp"
#include "specialize/wordpiece.hpp"

namespace specialize::python {

struct Failed {};  // a Python error is set

// Owns one reference.
class Ref {
 public:
  explicit Ref(PyObject* object) : object_(object) {
    if (!object) throw Failed{};
  }
  Ref(Ref&& o) noexcept : object_(std::exchange(o.object_, nullptr)) {}
  Ref(const Ref&) = delete;
  Ref& operator=(const Ref&) = delete;
  ~Ref() { Py_XDECREF(object_); }
  PyObject* get() const { return object_; }
  PyObject* give() { return std::exchange(object_, nullptr); }

 private:
  PyObject* object_;
};

// Borrows the memory of an object.
struct Buffer {
  Py_buffer view;
  Buffer(PyObject* object, int flags) {
    if (PyObject_GetBuffer(object, &view, flags) < 0) throw Failed{};
  }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  ~Buffer() { PyBuffer_Release(&view); }
};

// Runs ``work`` and turns its exceptions into Python errors.
template <class F>
PyObject* guarded(F work) {
  try {
    return work();
  } catch (const Failed&) {
  } catch (const std::bad_alloc&) {
    PyErr_NoMemory();
  } catch (const std::invalid_argument& fault) {
    PyErr_SetString(PyExc_ValueError, fault.what());
  } catch (const std::exception& fault) {
    PyErr_SetString(PyExc_RuntimeError, fault.what());
  }
  return nullptr;
}

// Runs ``work`` without the interpreter's lock.
template <class F>
void unlocked(F work) {
  struct Unlock {
    PyThreadState* state = PyEval_SaveThread();
    ~Unlock() { PyEval_RestoreThread(state); }
  } unlock;
  work();
}

template <class T>
const char* name_of();
template <>
inline const char* name_of<Text>() { return "specialize.Text"; }
template <>
inline const char* name_of<Rules>() { return "specialize.Rules"; }
template <>
inline const char* name_of<Words>() { return "specialize.Words"; }
template <>
inline const char* name_of<WordPiece>() { return "specialize.WordPiece"; }

template <class T>
PyObject* wrap(std::unique_ptr<T> value) {
  PyObject* capsule = PyCapsule_New(value.get(), name_of<T>(), [](PyObject* self) {
    delete static_cast<T*>(PyCapsule_GetPointer(self, name_of<T>()));
  });
  if (capsule) value.release();
  return capsule;
}

template <class T>
T& unwrap(PyObject* capsule) {
  void* value = PyCapsule_GetPointer(capsule, name_of<T>());
  if (!value) throw Failed{};
  return *static_cast<T*>(value);
}

template <class T>
T* unwrap_or_null(PyObject* capsule) {
  return capsule == Py_None ? nullptr : &unwrap<T>(capsule);
}

template <class... T>
void parse(PyObject* arguments, const char* format, T*... to) {
  if (!PyArg_ParseTuple(arguments, format, to...)) throw Failed{};
}

inline std::string_view utf8(PyObject* text) {
  Py_ssize_t n;
  const char* p = PyUnicode_AsUTF8AndSize(text, &n);
  if (!p) throw Failed{};
  return {p, static_cast<std::size_t>(n)};
}

template <class F>
void each_item(PyObject* iterable, F f) {
  Ref iterator(PyObject_GetIter(iterable));
  while (PyObject* item = PyIter_Next(iterator.get())) {
    Ref held(item);
    f(item);
  }
  if (PyErr_Occurred()) throw Failed{};
}

inline std::vector<int> ids_of(PyObject* iterable) {
  std::vector<int> ids;
  each_item(iterable, [&](PyObject* item) {
    int overflow = 0;
    const long id = PyLong_AsLongAndOverflow(item, &overflow);
    if (PyErr_Occurred()) throw Failed{};
    require(!overflow && id >= 0 && id <= std::numeric_limits<int>::max(), "an id is out of range");
    ids.push_back(static_cast<int>(id));
  });
  return ids;
}

template <class T, class F>
Ref list_of(const std::vector<T>& values, F to_python) {
  Ref list(PyList_New(static_cast<Py_ssize_t>(values.size())));
  for (std::size_t i = 0; i < values.size(); ++i) {
    PyObject* item = to_python(values[i]);
    if (!item || PyList_SetItem(list.get(), static_cast<Py_ssize_t>(i), item) < 0) throw Failed{};
  }
  return list;
}

inline PyObject* text_of(const std::string& text) {
  return PyUnicode_FromStringAndSize(text.data(), static_cast<Py_ssize_t>(text.size()));
}

inline Ref counted(const std::vector<const Entry*>& entries) {
  return list_of(entries, [](const Entry* e) {
    return Py_BuildValue("(s#K)", e->text(), static_cast<Py_ssize_t>(e->length()),
                         static_cast<unsigned long long>(e->count()));
  });
}

// [(key, count)] by first occurrence.
template <class Key>
Ref in_order(const std::unordered_map<Key, Seen>& seen) {
  std::vector<std::pair<Key, Seen>> all(seen.begin(), seen.end());
  std::sort(all.begin(), all.end(), [](auto& a, auto& b) {
    return a.second.first != b.second.first ? a.second.first < b.second.first
                                            : a.second.place < b.second.place;
  });
  return list_of(all, [](auto& item) {
    return Py_BuildValue("(lK)", static_cast<long>(item.first),
                         static_cast<unsigned long long>(item.second.count));
  });
}

// items: (text, count, first)
template <class To>
void add_items(To& to, PyObject* items) {
  each_item(items, [&](PyObject* item) {
    PyObject* text;
    unsigned long long count, first;
    parse(item, "OKK", &text, &count, &first);
    if (count) to.add(utf8(text), count, first);
  });
}

}  // namespace specialize::python
