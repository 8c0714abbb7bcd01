// The native algorithms as a Python module without torch, in the limited API of Python 3.11.
#define PY_SSIZE_T_CLEAN
#define Py_LIMITED_API 0x030B0000
#include <Python.h>

#include "specialize/choose.hpp"
#include "specialize/effects.hpp"
#include "specialize/text.hpp"
#include "specialize/train.hpp"
#include "specialize/wordpiece.hpp"

using namespace specialize;

namespace {

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

// Runs ``work`` and turns what it throws into Python's errors.
template <class F>
PyObject* guarded(F work) {
  try {
    return work();
  } catch (const Failed&) {
  } catch (const std::bad_alloc&) {
    PyErr_NoMemory();
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
const char* name_of<Text>() { return "specialize.Text"; }
template <>
const char* name_of<Rules>() { return "specialize.Rules"; }
template <>
const char* name_of<Words>() { return "specialize.Words"; }
template <>
const char* name_of<WordPiece>() { return "specialize.WordPiece"; }

struct Choice {
  Ref vocabulary;  // which the chooser refers to
  Chooser chooser;
};
template <>
const char* name_of<Choice>() { return "specialize.Chooser"; }

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

std::string_view utf8(PyObject* text) {
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

template <class T, class F>
Ref list_of(const std::vector<T>& values, F to_python) {
  Ref list(PyList_New(static_cast<Py_ssize_t>(values.size())));
  for (std::size_t i = 0; i < values.size(); ++i) {
    PyObject* item = to_python(values[i]);
    if (!item || PyList_SetItem(list.get(), static_cast<Py_ssize_t>(i), item) < 0) throw Failed{};
  }
  return list;
}

PyObject* text_of(const std::string& text) {
  return PyUnicode_FromStringAndSize(text.data(), static_cast<Py_ssize_t>(text.size()));
}

Ref counted(const std::vector<const Entry*>& entries) {
  return list_of(entries, [](const Entry* e) {
    return Py_BuildValue("(s#K)", e->text, static_cast<Py_ssize_t>(e->length()),
                         static_cast<unsigned long long>(e->count));
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

PyObject* text_facts(PyObject*, PyObject* text) {
  return guarded([&] {
    const Text& of = unwrap<Text>(text);
    return Py_BuildValue("(KKKK)", static_cast<unsigned long long>(of.extent.characters),
                         static_cast<unsigned long long>(of.extent.bytes),
                         static_cast<unsigned long long>(of.tokens.size()),
                         static_cast<unsigned long long>(of.tokens.bytes()));
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
    const Text& of = unwrap<Text>(text);
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

PyObject* rules_new(PyObject*, PyObject* arguments) {
  return guarded([&] {
    PyObject *ranges, *texts;
    parse(arguments, "OO", &ranges, &texts);
    auto rules = std::make_unique<Rules>();
    each_item(ranges, [&](PyObject* item) {
      unsigned first, last;
      int rule;
      parse(item, "IIi", &first, &last, &rule);
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
    std::vector<int> ids;
    each_item(special, [&](PyObject* id) { ids.push_back(static_cast<int>(PyLong_AsLong(id))); });
    if (PyErr_Occurred()) throw Failed{};
    return wrap(std::make_unique<WordPiece>(std::move(texts), std::string(utf8(prefix)), unk,
                                            max_chars, ids));
  });
}

PyObject* wordpiece_segment(PyObject*, PyObject* arguments) {
  return guarded([&] {
    PyObject *vocabulary, *word;
    parse(arguments, "OO", &vocabulary, &word);
    std::vector<int> ids, found;
    unwrap<WordPiece>(vocabulary).segment(utf8(word), ids, [&](int id) { found.push_back(id); });
    return list_of(found, [](int id) { return PyLong_FromLong(id); }).give();
  });
}

// -> words, [(number of the special piece, count)], [(removed character, count)], [(hard token, count, first)]
PyObject* words_of_text(PyObject*, PyObject* arguments) {
  return guarded([&] {
    PyObject *text, *rules, *special;
    unsigned threads;
    parse(arguments, "OOOI", &text, &rules, &special, &threads);
    const Text& from = unwrap<Text>(text);
    const Rules& by = unwrap<Rules>(rules);
    auto words = std::make_unique<Words>();
    Specials specials;
    int id = 0;
    each_item(special, [&](PyObject* piece) { specials.add(std::string(utf8(piece)), id++); });
    unlocked([&] { *words = words_of(from.tokens, by, specials, threads); });
    Ref written = in_order(words->specials), removed = in_order(words->removed);
    Ref hard = list_of(words->hard, [](const Entry* e) {
      return Py_BuildValue("(s#KK)", e->text, static_cast<Py_ssize_t>(e->length()),
                           static_cast<unsigned long long>(e->count),
                           static_cast<unsigned long long>(e->first));
    });
    words->hard.clear();
    return Py_BuildValue("(NNNN)", wrap(std::move(words)), written.give(), removed.give(),
                         hard.give());
  });
}

PyObject* words_new(PyObject*, PyObject*) {
  return guarded([] { return wrap(std::make_unique<Words>()); });
}

PyObject* words_add(PyObject*, PyObject* arguments) {
  return guarded([&]() -> PyObject* {
    PyObject *words, *items;
    parse(arguments, "OO", &words, &items);
    add_items(unwrap<Words>(words).table, items);
    Py_RETURN_NONE;
  });
}

PyObject* words_size(PyObject*, PyObject* words) {
  return guarded([&] { return PyLong_FromSize_t(unwrap<Words>(words).table.size()); });
}

PyObject* words_items(PyObject*, PyObject* words) {
  return guarded([&] { return counted(unwrap<Words>(words).table.ordered()).give(); });
}

PyObject* audit_words(PyObject*, PyObject* arguments) {
  return guarded([&] {
    PyObject *words, *vocabulary;
    unsigned threads;
    parse(arguments, "OOI", &words, &vocabulary, &threads);
    const Table& table = unwrap<Words>(words).table;
    const WordPiece& by = unwrap<WordPiece>(vocabulary);
    Audit sum;
    unlocked([&] { sum = audit(table, by, threads); });
    using Long = unsigned long long;
    return Py_BuildValue("(KKKKN)", Long{sum.words}, Long{sum.pieces}, Long{sum.unknown},
                         Long{sum.continued}, in_order(sum.missing).give());
  });
}

Ref by_piece(const std::vector<Seen>& sums) {
  std::unordered_map<int, Seen> seen;
  for (std::size_t i = 0; i < sums.size(); ++i)
    if (sums[i].count) seen.emplace(static_cast<int>(i), sums[i]);
  return in_order(seen);
}

// -> [(piece of the new vocabulary, count)] for unknowns replaced, and overall
PyObject* count_replacements(PyObject*, PyObject* arguments) {
  return guarded([&] {
    PyObject *units, *old, *now, *rules;
    int parted;
    unsigned threads;
    parse(arguments, "OOOOpI", &units, &old, &now, &rules, &parted, &threads);
    const Rules* by = unwrap_or_null<Rules>(rules);
    const Table& table = by ? unwrap<Text>(units).tokens : unwrap<Words>(units).table;
    const WordPiece &before = unwrap<WordPiece>(old), &after = unwrap<WordPiece>(now);
    Replacements sums(0);
    unlocked([&] { sums = replacements(table, before, after, by, parted != 0, threads); });
    return Py_BuildValue("(NN)", by_piece(sums.replaced).give(), by_piece(sums.overall).give());
  });
}

// -> [(pieces, unknown pieces)] with the first so many fresh pieces
PyObject* cover_words(PyObject*, PyObject* arguments) {
  return guarded([&] {
    PyObject *words, *now, *ids, *at;
    unsigned threads;
    parse(arguments, "OOOOI", &words, &now, &ids, &at, &threads);
    std::vector<int> fresh;
    std::vector<std::size_t> points;
    each_item(ids, [&](PyObject* id) { fresh.push_back(static_cast<int>(PyLong_AsLong(id))); });
    each_item(at, [&](PyObject* point) { points.push_back(PyLong_AsSize_t(point)); });
    if (PyErr_Occurred()) throw Failed{};
    const Table& table = unwrap<Words>(words).table;
    const WordPiece& by = unwrap<WordPiece>(now);
    std::vector<Covered> sums;
    unlocked([&] { sums = coverage(table, by, fresh, points, threads); });
    return list_of(sums, [](const Covered& sum) {
             return Py_BuildValue("(LL)", static_cast<long long>(sum.pieces),
                                  static_cast<long long>(sum.unknown));
           })
        .give();
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

// The next piece, or None: ``next`` works without the interpreter's lock.
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

// -> by fresh piece: (occurrences of words it made known, [example words])
PyObject* explain_pieces(PyObject*, PyObject* arguments) {
  return guarded([&] {
    PyObject *words, *old, *now, *ids;
    unsigned examples, threads;
    parse(arguments, "OOOOII", &words, &old, &now, &ids, &examples, &threads);
    std::vector<int> fresh;
    each_item(ids, [&](PyObject* id) { fresh.push_back(static_cast<int>(PyLong_AsLong(id))); });
    if (PyErr_Occurred()) throw Failed{};
    const Table& table = unwrap<Words>(words).table;
    const WordPiece &before = unwrap<WordPiece>(old), &after = unwrap<WordPiece>(now);
    std::vector<Explained> told;
    unlocked([&] { told = explain(table, before, after, fresh, examples, threads); });
    return list_of(told, [](const Explained& one) {
             return Py_BuildValue("(KN)", static_cast<unsigned long long>(one.replaced),
                                  counted(one.words).give());
           })
        .give();
  });
}

// -> the pieces, or the number that the special pieces and characters alone come to
PyObject* train_wordpiece(PyObject*, PyObject* arguments) {
  return guarded([&] {
    PyObject *words, *special, *prefix;
    Py_ssize_t size, alphabet;
    unsigned long long min_count;
    int closed;
    parse(arguments, "OnOKnpO", &words, &size, &special, &min_count, &alphabet, &closed, &prefix);
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

PyMethodDef methods[] = {
    {"text_new", text_new, METH_NOARGS, nullptr},
    {"text_feed", text_feed, METH_VARARGS, nullptr},
    {"text_valid", text_valid, METH_VARARGS, nullptr},
    {"text_add", text_add, METH_VARARGS, nullptr},
    {"text_merge", text_merge, METH_VARARGS, nullptr},
    {"text_facts", text_facts, METH_O, nullptr},
    {"text_tokens", text_tokens, METH_O, nullptr},
    {"rules_new", rules_new, METH_VARARGS, nullptr},
    {"wordpiece_new", wordpiece_new, METH_VARARGS, nullptr},
    {"wordpiece_segment", wordpiece_segment, METH_VARARGS, nullptr},
    {"words_of_text", words_of_text, METH_VARARGS, nullptr},
    {"words_new", words_new, METH_NOARGS, nullptr},
    {"words_add", words_add, METH_VARARGS, nullptr},
    {"words_size", words_size, METH_O, nullptr},
    {"words_items", words_items, METH_O, nullptr},
    {"audit_words", audit_words, METH_VARARGS, nullptr},
    {"count_replacements", count_replacements, METH_VARARGS, nullptr},
    {"chooser_new", chooser_new, METH_VARARGS, nullptr},
    {"chooser_needs", chooser_needs, METH_O, nullptr},
    {"chooser_consider", chooser_consider, METH_VARARGS, nullptr},
    {"chooser_next_missing", chooser_next_missing, METH_VARARGS, nullptr},
    {"chooser_next_best", chooser_next_best, METH_O, nullptr},
    {"cover_words", cover_words, METH_VARARGS, nullptr},
    {"explain_pieces", explain_pieces, METH_VARARGS, nullptr},
    {"train_wordpiece", train_wordpiece, METH_VARARGS, nullptr},
    {nullptr, nullptr, 0, nullptr},
};

PyModuleDef module{PyModuleDef_HEAD_INIT, "specialize_native._core", nullptr, -1, methods,
                   nullptr, nullptr, nullptr, nullptr};

}  // namespace

PyMODINIT_FUNC PyInit__core() { return PyModule_Create(&module); }
