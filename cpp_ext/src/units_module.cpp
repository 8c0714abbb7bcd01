// Lines as counted units, and their totals under a byte-level BPE or a Unigram.
#include "python.hpp"

#include "specialize/bpe.hpp"
#include "specialize/unigram.hpp"

namespace specialize::python {

template <>
inline const char* name_of<Units>() { return "specialize.Units"; }
template <>
inline const char* name_of<ByteBpe>() { return "specialize.ByteBpe"; }
template <>
inline const char* name_of<Unigram>() { return "specialize.Unigram"; }

namespace {

std::string_view bytes_of(PyObject* object) {
  char* p;
  Py_ssize_t n;
  if (PyBytes_AsStringAndSize(object, &p, &n) < 0) throw Failed{};
  return {p, static_cast<std::size_t>(n)};
}

// 32-bit numbers, as stored in array.array.
std::vector<u32> numbers_of(PyObject* object) {
  const std::string_view bytes = bytes_of(object);
  require(bytes.size() % 4 == 0, "expected 32-bit numbers");
  std::vector<u32> numbers(bytes.size() / 4);
  if (!numbers.empty()) std::memcpy(numbers.data(), bytes.data(), numbers.size() * 4);
  return numbers;
}

std::vector<std::string> texts_of(PyObject* iterable) {
  std::vector<std::string> texts;
  each_item(iterable, [&](PyObject* text) { texts.emplace_back(utf8(text)); });
  return texts;
}

// -> the totals in the struct's order, [(missing character, count, first)], [(unit, count, first)]
PyObject* audited(const UnitAudit& sum) {
  using Long = unsigned long long;
  std::vector<std::pair<u32, Seen>> missing(sum.missing.begin(), sum.missing.end());
  std::sort(missing.begin(), missing.end(), [](auto& a, auto& b) {
    return std::pair(a.second.first, a.second.place) < std::pair(b.second.first, b.second.place);
  });
  Ref lacking = list_of(missing, [](auto& item) {
    return Py_BuildValue("(IKK)", item.first, Long{item.second.count}, Long{item.second.first});
  });
  Ref rest = list_of(sum.rest, [](const Entry* e) {
    const std::string_view unit = e->view();
    return Py_BuildValue("(s#KK)", unit.data(), static_cast<Py_ssize_t>(unit.size()),
                         Long{e->count()}, Long{e->first()});
  });
  return Py_BuildValue("(KKKKKKKNN)", Long{sum.words}, Long{sum.pieces}, Long{sum.unknown_words},
                       Long{sum.unknown_pieces}, Long{sum.continued}, Long{sum.characters},
                       Long{sum.bytes}, lacking.give(), rest.give());
}

// solid: one byte per character below 0x20000
PyObject* units_new(PyObject*, PyObject* solid) {
  return guarded([&] {
    const std::string_view listed = bytes_of(solid);
    require(listed.size() == Solid::kListed, "expected a byte for each listed character");
    return wrap(std::make_unique<Units>(std::string(listed)));
  });
}

PyObject* units_feed(PyObject*, PyObject* arguments) {
  return guarded([&]() -> PyObject* {
    PyObject *units, *lines;
    unsigned threads;
    parse(arguments, "OO!I", &units, &PyList_Type, &lines, &threads);
    Units& to = unwrap<Units>(units);
    std::vector<std::string_view> texts;
    for (Py_ssize_t i = 0; i < PyList_Size(lines); ++i)
      texts.push_back(utf8(PyList_GetItem(lines, i)));
    unlocked([&] { to.feed(texts, threads); });
    Py_RETURN_NONE;
  });
}

PyObject* units_size(PyObject*, PyObject* units) {
  return guarded([&] { return PyLong_FromSize_t(unwrap<Units>(units).table.size()); });
}

PyObject* units_items(PyObject*, PyObject* units) {
  return guarded([&] { return counted(unwrap<Units>(units).table.ordered()).give(); });
}

// -> the distinct characters
PyObject* units_characters(PyObject*, PyObject* units) {
  return guarded([&] {
    const Table& table = unwrap<Units>(units).table;
    std::vector<bool> seen(0x110000);
    for (const Partition& part : table.parts)
      part.each([&](const Entry& e) {
        each_character(e.view(), [&](u32 c) { seen[c] = true; });
      });
    std::string all;
    for (u32 c = 0; c < seen.size(); ++c)
      if (seen[c]) encode(c, all);
    return text_of(all);
  });
}

// -> [(character, count)] of a text, by first occurrence
PyObject* units_occurrences(PyObject*, PyObject* arguments) {
  return guarded([&] {
    PyObject *units, *characters;
    parse(arguments, "OO", &units, &characters);
    std::unordered_map<u32, Seen> seen;
    const auto each = [](std::string_view text, auto f) {
      const char *p = text.data(), *const end = p + text.size();
      for (u32 n; p < end; p += n) f(character(p, n), static_cast<u32>(p - text.data()));
    };
    each(utf8(characters), [&](u32 c, u32) { seen[c]; });
    for (const Partition& part : unwrap<Units>(units).table.parts)
      part.each([&](const Entry& e) {
        each(e.view(), [&](u32 c, u32 at) {
          if (const auto found = seen.find(c); found != seen.end() && (at || c != '\n'))
            found->second.add(e.count(), e.first(), at);
        });
      });
    return in_order(seen).give();
  });
}

// bytes: the ids of the 256; merges: (left, right, made) by rank; whole: words matched before
// merging
PyObject* byte_bpe_new(PyObject*, PyObject* arguments) {
  return guarded([&] {
    PyObject *bytes, *merges, *whole;
    parse(arguments, "OOO", &bytes, &merges, &whole);
    const std::vector<u32> ids = numbers_of(bytes), flat = numbers_of(merges);
    require(ids.size() == 256, "expected the ids of the 256 bytes");
    require(flat.size() % 3 == 0, "expected three ids of each merge");
    std::vector<ByteBpe::Merge> ranked;
    for (std::size_t i = 0; i + 2 < flat.size(); i += 3)
      ranked.push_back({flat[i], flat[i + 1], flat[i + 2]});
    std::vector<std::string> words;
    each_item(whole, [&](PyObject* word) { words.emplace_back(bytes_of(word)); });
    return wrap(std::make_unique<ByteBpe>(ids.data(), ranked, std::move(words)));
  });
}

// kinds: one byte per character
PyObject* byte_bpe_count(PyObject*, PyObject* arguments) {
  return guarded([&] {
    PyObject *units, *bpe, *kinds, *special;
    int any_case, one_before, lines, space_first;
    Py_ssize_t numbers;
    unsigned threads;
    parse(arguments, "OO(pppnp)OOI", &units, &bpe, &any_case, &one_before, &lines, &numbers,
          &space_first, &kinds, &special, &threads);
    require(numbers > 0, "expected at least one digit in a word");
    const Pattern pattern{any_case != 0, one_before != 0, lines != 0,
                          static_cast<std::size_t>(numbers), space_first != 0};
    const Contents contents(texts_of(special));
    const std::string of(bytes_of(kinds));
    const BpeCount count(unwrap<Units>(units).table, unwrap<ByteBpe>(bpe), pattern, of, contents);
    UnitAudit sum;
    unlocked([&] { sum = count.run(threads); });
    return audited(sum);
  });
}

// pieces: (text, score); unknown: score of an unknown character
PyObject* unigram_new(PyObject*, PyObject* arguments) {
  return guarded([&] {
    PyObject* pieces;
    double unknown;
    parse(arguments, "Od", &pieces, &unknown);
    std::vector<std::pair<std::string, double>> scored;
    each_item(pieces, [&](PyObject* item) {
      PyObject* text;
      double score;
      parse(item, "Od", &text, &score);
      scored.emplace_back(utf8(text), score);
    });
    return wrap(std::make_unique<Unigram>(std::move(scored), unknown));
  });
}

PyObject* unigram_count(PyObject*, PyObject* arguments) {
  return guarded([&] {
    PyObject *units, *unigram, *special, *hard;
    int later, first;
    unsigned threads;
    parse(arguments, "OO(pp)OOI", &units, &unigram, &later, &first, &special, &hard, &threads);
    const Contents contents(texts_of(special));
    const std::vector<std::string> left = texts_of(hard);
    const UnigramCount count(unwrap<Units>(units).table, unwrap<Unigram>(unigram),
                             {later != 0, first != 0}, contents, left);
    UnitAudit sum;
    unlocked([&] { sum = count.run(threads); });
    return audited(sum);
  });
}

}  // namespace

PyMethodDef units_methods[] = {
    {"units_new", units_new, METH_O, nullptr},
    {"units_feed", units_feed, METH_VARARGS, nullptr},
    {"units_size", units_size, METH_O, nullptr},
    {"units_items", units_items, METH_O, nullptr},
    {"units_characters", units_characters, METH_O, nullptr},
    {"byte_bpe_new", byte_bpe_new, METH_VARARGS, nullptr},
    {"byte_bpe_count", byte_bpe_count, METH_VARARGS, nullptr},
    {"units_occurrences", units_occurrences, METH_VARARGS, nullptr},
    {"unigram_new", unigram_new, METH_VARARGS, nullptr},
    {"unigram_count", unigram_count, METH_VARARGS, nullptr},
    {nullptr, nullptr, 0, nullptr},
};

}  // namespace specialize::python
