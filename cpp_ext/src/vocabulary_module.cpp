// Vocabularies: rules, pieces, choosing and training pieces.
#include "python.hpp"

#include "specialize/choose.hpp"
#include "specialize/train.hpp"

namespace specialize::python {

namespace {

struct Choice {
  Ref vocabulary;  // referenced by the chooser
  Chooser chooser;
};

}  // namespace

template <>
const char* name_of<Choice>() { return "specialize.Chooser"; }

namespace {

PyObject* rules_new(PyObject*, PyObject* arguments) {
  return guarded([&] {
    PyObject *ranges, *texts;
    parse(arguments, "OO", &ranges, &texts);
    auto rules = std::make_unique<Rules>();
    each_item(ranges, [&](PyObject* item) {
      unsigned first, last;
      int rule;
      parse(item, "IIi", &first, &last, &rule);
      require(rule >= 0 && rule <= static_cast<int>(Rule::hard), "unknown rule");
      rules->set(first, last, static_cast<Rule>(rule));
    });
    each_item(texts, [&](PyObject* item) {
      unsigned c;
      PyObject* text;
      parse(item, "IO", &c, &text);
      rules->map(c, std::string(utf8(text)));
    });
    return wrap(std::move(rules));
  });
}

PyObject* wordpiece_new(PyObject*, PyObject* arguments) {
  return guarded([&] {
    PyObject *pieces, *prefix, *special;
    int unk;
    unsigned max_chars;
    parse(arguments, "OOiIO", &pieces, &prefix, &unk, &max_chars, &special);
    std::vector<std::string> texts;
    each_item(pieces, [&](PyObject* piece) { texts.emplace_back(utf8(piece)); });
    return wrap(std::make_unique<WordPiece>(std::move(texts), std::string(utf8(prefix)), unk,
                                            max_chars, ids_of(special)));
  });
}

PyObject* wordpiece_segment(PyObject*, PyObject* arguments) {
  return guarded([&] {
    PyObject *vocabulary, *word;
    parse(arguments, "OO", &vocabulary, &word);
    std::vector<int> ids;
    unwrap<WordPiece>(vocabulary).segment(utf8(word), ids);
    return list_of(ids, [](int id) { return PyLong_FromLong(id); }).give();
  });
}

PyObject* chooser_new(PyObject*, PyObject* arguments) {
  return guarded([&] {
    PyObject *words, *vocabulary;
    unsigned threads;
    parse(arguments, "OOI", &words, &vocabulary, &threads);
    const Table& table = unwrap<Words>(words).table;
    const WordPiece& by = unwrap<WordPiece>(vocabulary);
    Py_INCREF(vocabulary);
    Ref held(vocabulary);
    std::optional<Chooser> chooser;
    unlocked([&] { chooser.emplace(table, by, threads); });
    return wrap(std::make_unique<Choice>(Choice{std::move(held), std::move(*chooser)}));
  });
}

PyObject* chooser_needs(PyObject*, PyObject* chooser) {
  return guarded([&] {
    return list_of(unwrap<Choice>(chooser).chooser.needs(), text_of).give();
  });
}

PyObject* chooser_consider(PyObject*, PyObject* arguments) {
  return guarded([&]() -> PyObject* {
    PyObject *chooser, *candidates;
    parse(arguments, "OO", &chooser, &candidates);
    std::vector<std::string> names;
    each_item(candidates, [&](PyObject* piece) { names.emplace_back(utf8(piece)); });
    Chooser& by = unwrap<Choice>(chooser).chooser;
    unlocked([&] { by.consider(std::move(names)); });
    Py_RETURN_NONE;
  });
}

// The next piece, or None; ``next`` runs without the interpreter's lock.
template <class F>
PyObject* next_piece(PyObject* chooser, F next) {
  Chooser& by = unwrap<Choice>(chooser).chooser;
  std::optional<std::string> piece;
  unlocked([&] { piece = next(by); });
  if (piece) return text_of(*piece);
  Py_RETURN_NONE;
}

PyObject* chooser_next_missing(PyObject*, PyObject* arguments) {
  return guarded([&] {
    PyObject* chooser;
    long long least;
    parse(arguments, "OL", &chooser, &least);
    return next_piece(chooser, [&](Chooser& by) { return by.next_missing(least); });
  });
}

PyObject* chooser_next_best(PyObject*, PyObject* chooser) {
  return guarded([&] { return next_piece(chooser, [](Chooser& by) { return by.next_best(); }); });
}

// -> the pieces, or the number of special pieces and characters if that exceeds the size
PyObject* train_wordpiece(PyObject*, PyObject* arguments) {
  return guarded([&] {
    PyObject *words, *special, *prefix;
    Py_ssize_t size, alphabet;
    unsigned long long min_count;
    int closed;
    parse(arguments, "OnOKnpO", &words, &size, &special, &min_count, &alphabet, &closed, &prefix);
    require(size >= 0 && alphabet >= 0, "a size is negative");
    Trainer::Options options{static_cast<std::size_t>(size), {}, min_count,
                             static_cast<std::size_t>(alphabet), closed != 0,
                             std::string(utf8(prefix))};
    each_item(special, [&](PyObject* piece) { options.special.emplace_back(utf8(piece)); });
    const Table& table = unwrap<Words>(words).table;
    std::vector<std::string> pieces;
    std::size_t needed = 0;
    unlocked([&] {
      try {
        pieces = Trainer(table, std::move(options)).train();
      } catch (const Trainer::TooSmall& fault) {
        needed = fault.needed;
      }
    });
    if (needed) return PyLong_FromSize_t(needed);
    return list_of(pieces, text_of).give();
  });
}

// -> [(piece, occurrences of its first merge)]
PyObject* merge_further(PyObject*, PyObject* arguments) {
  return guarded([&] {
    PyObject *words, *names, *avoid;
    Py_ssize_t more;
    unsigned long long min_count;
    parse(arguments, "OOnKO", &words, &names, &more, &min_count, &avoid);
    require(more >= 0, "a size is negative");
    Trainer::Options options{0, {}, min_count, static_cast<std::size_t>(-1), false, ""};
    each_item(names, [&](PyObject* item) {
      unsigned c;
      PyObject* piece;
      parse(item, "IO", &c, &piece);
      options.names.emplace(c, utf8(piece));
    });
    each_item(avoid, [&](PyObject* piece) { options.avoid.emplace(utf8(piece)); });
    const Table& table = unwrap<Words>(words).table;
    std::vector<Trainer::Merged> found;
    unlocked([&] {
      found = Trainer(table, std::move(options)).train_further(static_cast<std::size_t>(more));
    });
    return list_of(found, [](const Trainer::Merged& m) {
             return Py_BuildValue("(NK)", text_of(m.piece), static_cast<unsigned long long>(m.count));
           }).give();
  });
}

}  // namespace

PyMethodDef vocabulary_methods[] = {
    {"rules_new", rules_new, METH_VARARGS, nullptr},
    {"wordpiece_new", wordpiece_new, METH_VARARGS, nullptr},
    {"wordpiece_segment", wordpiece_segment, METH_VARARGS, nullptr},
    {"chooser_new", chooser_new, METH_VARARGS, nullptr},
    {"chooser_needs", chooser_needs, METH_O, nullptr},
    {"chooser_consider", chooser_consider, METH_VARARGS, nullptr},
    {"chooser_next_missing", chooser_next_missing, METH_VARARGS, nullptr},
    {"chooser_next_best", chooser_next_best, METH_O, nullptr},
    {"train_wordpiece", train_wordpiece, METH_VARARGS, nullptr},
    {"merge_further", merge_further, METH_VARARGS, nullptr},
    {nullptr, nullptr, 0, nullptr},
};

}  // namespace specialize::python
