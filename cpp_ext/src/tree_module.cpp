// Dependency trees from scores.
#include "python.hpp"

#include "specialize/mst.hpp"

namespace specialize::python {

namespace {

// Contiguous float64 [sentences, size, size].
struct Scores {
  Buffer buffer;
  explicit Scores(PyObject* object) : buffer(object, PyBUF_ND | PyBUF_FORMAT) {
    const Py_buffer& of = buffer.view;
    require(of.ndim == 3 && of.shape[1] == of.shape[2] && std::string_view(of.format) == "d",
            "expected contiguous float64 scores [sentences, size, size]");
  }
  std::size_t sentences() const { return static_cast<std::size_t>(buffer.view.shape[0]); }
  std::size_t size() const { return static_cast<std::size_t>(buffer.view.shape[1]); }
  const double* of(std::size_t sentence) const {
    return static_cast<const double*>(buffer.view.buf) + sentence * size() * size();
  }
};

std::vector<std::size_t> lengths_of(PyObject* iterable, const Scores& scores) {
  std::vector<std::size_t> lengths;
  each_item(iterable, [&](PyObject* item) {
    const Py_ssize_t words = PyLong_AsSsize_t(item);
    if (PyErr_Occurred()) throw Failed{};
    require(words >= 0 && static_cast<std::size_t>(words) < scores.size(),
            "expected lengths of at least 0 and less than the scores' size");
    lengths.push_back(static_cast<std::size_t>(words));
  });
  require(lengths.size() == scores.sentences(), "expected as many lengths as sentences");
  return lengths;
}

// scores, words of each sentence -> heads of each sentence
PyObject* single_root_trees(PyObject*, PyObject* arguments) {
  return guarded([&] {
    PyObject *buffer, *words;
    parse(arguments, "OO", &buffer, &words);
    const Scores scores(buffer);
    const std::vector<std::size_t> lengths = lengths_of(words, scores);
    std::vector<std::vector<std::size_t>> trees;
    unlocked([&] {
      TreeDecoder decoder;
      for (std::size_t i = 0; i < lengths.size(); ++i)
        trees.push_back(decoder.heads({scores.of(i), scores.size(), lengths[i] + 1}));
    });
    return list_of(trees, [](const auto& heads) {
      return list_of(heads, [](std::size_t head) { return PyLong_FromSize_t(head); }).give();
    }).give();
  });
}

}  // namespace

PyMethodDef tree_methods[] = {
    {"single_root_trees", single_root_trees, METH_VARARGS, nullptr},
    {nullptr, nullptr, 0, nullptr},
};

}  // namespace specialize::python
