// Counted words, and their segmentation by vocabularies.
#include "python.hpp"

#include "specialize/audit.hpp"
#include "specialize/effects.hpp"
#include "specialize/replacements.hpp"

namespace specialize::python {

namespace {

// Empties ``hard`` -> [(token for the fallback, count, first)]
Ref taken(std::vector<const Entry*>& hard) {
  Ref list = list_of(hard, [](const Entry* e) {
    return Py_BuildValue("(s#KK)", e->text(), static_cast<Py_ssize_t>(e->length()),
                         static_cast<unsigned long long>(e->count()),
                         static_cast<unsigned long long>(e->first()));
  });
  hard.clear();
  return list;
}

// -> words, [(number of the special piece, count)], [(removed character, count)],
//    [(token for the fallback, count, first)]
PyObject* words_of_text(PyObject*, PyObject* arguments) {
  return guarded([&] {
    PyObject *text, *rules, *special;
    unsigned threads;
    parse(arguments, "OOOI", &text, &rules, &special, &threads);
    Text& from = unwrap<Text>(text);
    const Rules& by = unwrap<Rules>(rules);
    auto words = std::make_unique<Words>();
    Specials specials;
    int id = 0;
    each_item(special, [&](PyObject* piece) { specials.add(std::string(utf8(piece)), id++); });
    unlocked([&] { *words = words_of(from.sound(threads), by, specials, threads); });
    Ref written = in_order(words->specials), removed = in_order(words->removed);
    Ref hard = taken(words->hard);
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

// -> (words, pieces, unknown, continued), [(missing character, count, first, index in its word)]
PyObject* sums_of(const Audit& sum) {
  using Long = unsigned long long;
  Ref missing = list_of(std::vector(sum.missing.begin(), sum.missing.end()), [](auto& item) {
    const auto& [c, seen] = item;
    return Py_BuildValue("(IKKI)", c, Long{seen.count}, Long{seen.first}, seen.place);
  });
  return Py_BuildValue("((KKKK)N)", Long{sum.words}, Long{sum.pieces}, Long{sum.unknown},
                       Long{sum.continued}, missing.give());
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
    return sums_of(sum);
  });
}

// -> the same, [(id of the special piece, count)], [(removed character, count)],
//    [(token for the fallback, count, first)]
PyObject* audit_text(PyObject*, PyObject* arguments) {
  return guarded([&] {
    PyObject *text, *rules, *vocabulary;
    unsigned threads;
    parse(arguments, "OOOI", &text, &rules, &vocabulary, &threads);
    Text& from = unwrap<Text>(text);
    const Rules& split = unwrap<Rules>(rules);
    const WordPiece& by = unwrap<WordPiece>(vocabulary);
    TokenAudit sum;
    unlocked([&] { sum = audit_tokens(from.sound(threads), split, by, threads); });
    Ref words(sums_of(sum.words)), written = in_order(sum.specials);
    Ref removed = in_order(sum.removed), hard = taken(sum.hard);
    return Py_BuildValue("(NNNN)", words.give(), written.give(), removed.give(), hard.give());
  });
}

Ref by_piece(const std::vector<Seen>& sums) {
  std::unordered_map<int, Seen> seen;
  for (std::size_t i = 0; i < sums.size(); ++i)
    if (sums[i].count) seen.emplace(static_cast<int>(i), sums[i]);
  return in_order(seen);
}

// With rules, units come from the tokens of a text; otherwise they are words.
// -> [(piece of the new vocabulary, count)] where they replace unknowns, and overall on request
PyObject* count_replacements(PyObject*, PyObject* arguments) {
  return guarded([&] {
    PyObject *units, *old, *now, *rules;
    int overall;
    unsigned unit, threads;
    parse(arguments, "OOOOIpI", &units, &old, &now, &rules, &unit, &overall, &threads);
    require(unit <= static_cast<unsigned>(Unit::word), "unknown unit");
    const Rules* by = unwrap_or_null<Rules>(rules);
    Text* const text = by ? &unwrap<Text>(units) : nullptr;
    Words* const words = by ? nullptr : &unwrap<Words>(units);
    const WordPiece &before = unwrap<WordPiece>(old), &after = unwrap<WordPiece>(now);
    Replacements sums(0);
    unlocked([&] {
      const Table& table = text ? text->sound(threads) : words->table;
      sums = replacements(table, before, after, by, static_cast<Unit>(unit), overall != 0, threads);
    });
    return Py_BuildValue("(NN)", by_piece(sums.replaced).give(), by_piece(sums.overall).give());
  });
}

// -> [(pieces, unknown pieces)] for each number of fresh pieces
PyObject* cover_words(PyObject*, PyObject* arguments) {
  return guarded([&] {
    PyObject *words, *now, *ids, *at;
    unsigned threads;
    parse(arguments, "OOOOI", &words, &now, &ids, &at, &threads);
    const std::vector<int> fresh = ids_of(ids);
    std::vector<std::size_t> points;
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

// -> per fresh piece: (occurrences of words it made known, [example words])
PyObject* explain_pieces(PyObject*, PyObject* arguments) {
  return guarded([&] {
    PyObject *words, *old, *now, *ids;
    unsigned examples, threads;
    parse(arguments, "OOOOII", &words, &old, &now, &ids, &examples, &threads);
    const std::vector<int> fresh = ids_of(ids);
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

}  // namespace

PyMethodDef words_methods[] = {
    {"words_of_text", words_of_text, METH_VARARGS, nullptr},
    {"words_new", words_new, METH_NOARGS, nullptr},
    {"words_add", words_add, METH_VARARGS, nullptr},
    {"words_size", words_size, METH_O, nullptr},
    {"words_items", words_items, METH_O, nullptr},
    {"audit_words", audit_words, METH_VARARGS, nullptr},
    {"audit_text", audit_text, METH_VARARGS, nullptr},
    {"count_replacements", count_replacements, METH_VARARGS, nullptr},
    {"cover_words", cover_words, METH_VARARGS, nullptr},
    {"explain_pieces", explain_pieces, METH_VARARGS, nullptr},
    {nullptr, nullptr, 0, nullptr},
};

}  // namespace specialize::python
