// A second libFuzzer target: lines counted as units, what they come to under a BPE and a Unigram,
// and pieces merged further, as the naive counterparts have it. See fuzz_text.cpp and the Makefile.
#include "compare.hpp"
#include "compare_units.hpp"
#include "input.hpp"
#include "naive_train.hpp"

using namespace specialize;
using compare::check;
using compare::same;
using input::Input;
using input::text_of;

namespace {

// Letters, signs and digits that the patterns name, white space, marks, and SentencePiece's space.
constexpr u32 kUnitLetters[] = {' ',    ' ',    ' ',    'a',    'b',     's',    'S',     'T',
                                'l',    'L',    'r',    'e',    'v',     '\'',   '\'',    '1',
                                '2',    '.',    '\n',   '\r',   '\t',    0x2581, 0x17f,   0x301,
                                0x200d, 0x3000, 0x85,   0xe9,   0x4e16,  0xe000, 0x1f600, 0x10ffff};

struct Setting {
  unsigned threads = 1;
  naive::Loose loose;
  naive::Kinds kinds;
  char line_end = '\n';
  std::vector<u32> steps;  // lines fed together
  Pattern pattern;
  Marks marks;
  struct Cut {
    u32 at, length, more;
  };
  std::vector<Cut> special, pieces;
};

Setting read_setting(Input& in) {
  Setting s;
  for (u32 c : kUnitLetters) {
    const u32 kind = in.byte();
    const bool line = c == ' ' || c == '\n' || c == '\r';
    s.kinds[c] = line || naive::white(c) ? Kind::space : static_cast<Kind>(kind % 3);
    if (naive::white(c) || c == 0x2581 || kind % 4 == 0) s.loose.insert(c);
  }
  s.line_end = in.coin() ? '\n' : '\r';
  for (u32 n = 1 + in.below(3); n--;) s.steps.push_back(1 + in.below(9));
  const bool later = in.coin();
  s.pattern = {in.coin(), later, later, 1 + in.below(4), in.coin()};
  s.marks = {in.coin(), in.coin()};
  for (auto* cuts : {&s.special, &s.pieces})
    for (u32 n = in.below(cuts == &s.special ? 3 : 40); n--;) {
      const u32 at = in.byte(), length = 1 + in.below(4);
      cuts->push_back({at, length, in.byte()});
    }
  return s;
}

std::string cut_of(const std::vector<std::string>& letters, u32 at, u32 n) {
  std::string text;
  for (u32 k = 0; k < n && !letters.empty(); ++k) text += letters[(at + k) % letters.size()];
  return text;
}

// Merges of bytes of the text and of what was merged before.
naive::Bpe bpe_of(const std::string& text, const Setting& s) {
  naive::Bpe bpe;
  std::vector<std::string> known;
  for (char c : text.substr(0, 40)) known.emplace_back(1, c);
  for (const auto& cut : s.pieces) {
    if (known.empty()) break;
    const std::string left = known[cut.at % known.size()], right = known[cut.more % known.size()];
    if (left.size() + right.size() > 24) continue;
    bpe.merges.emplace_back(left, right);
    known.push_back(left + right);
    if (cut.length == 4) bpe.whole.push_back(text.substr(cut.at % text.size(), 3));
  }
  return bpe;
}

// The mark and what the cuts make of the text, with scores that are often equal.
naive::Unigram unigram_of(const std::vector<std::string>& letters, const Setting& s) {
  naive::Unigram unigram{{{Unigram::kMark, -3.0}}, -20.0};
  for (const auto& cut : s.pieces) {
    const std::string mark = cut.more % 4 == 0 ? Unigram::kMark : "";
    const std::string piece = mark + cut_of(letters, cut.at, cut.length);
    if (!piece.empty()) unigram.pieces.emplace(piece, -0.25 * static_cast<double>(cut.more / 4));
  }
  return unigram;
}

void check_counts(const Units& units, const naive::Sums<std::string>& slow, const Setting& s,
                  const std::string& text, const std::vector<std::string>& letters) {
  std::vector<std::string> special, hard;
  for (const auto& cut : s.special) {
    special.push_back(cut_of(letters, cut.at, cut.length));
    if (!slow.items.empty()) hard.push_back(slow.items[cut.more % slow.items.size()].first);
  }
  const Contents contents(special);
  const naive::Bpe bpe = bpe_of(text, s);
  const ByteBpe fast = compare::native(bpe);
  const std::string kinds = compare::native(s.kinds);
  check(same(BpeCount(units.table, fast, s.pattern, kinds, contents).run(s.threads),
             naive::audit(slow, bpe, s.pattern, s.kinds, special)),
        "BPE");
  const naive::Unigram unigram = unigram_of(letters, s);
  const Unigram by = compare::native(unigram);
  check(same(UnigramCount(units.table, by, s.marks, contents, hard).run(s.threads),
             naive::audit(slow, unigram, s.marks, special, hard)),
        "Unigram");
}

void check_units(const std::string& text, const Setting& s) {
  std::vector<std::string> lines{""};
  for (char c : text) {
    if (c == s.line_end) lines.emplace_back();
    else lines.back() += c;
  }
  Units units(compare::native(s.loose));
  std::size_t from = 0;
  for (std::size_t k = 0; from < lines.size(); ++k) {
    const std::size_t to = std::min(lines.size(), from + s.steps[k % s.steps.size()]);
    units.feed({lines.begin() + static_cast<std::ptrdiff_t>(from),
                lines.begin() + static_cast<std::ptrdiff_t>(to)},
               s.threads);
    from = to;
  }
  const naive::Sums<std::string> slow = naive::count_units(lines, s.loose);
  check(compare::counts(units.table) == slow.items, "units");
  check_counts(units, slow, s, text, naive::letters(text));
}

// Words of few pieces, which are texts of two letters, merged further.
void check_further(Input& in) {
  std::vector<std::string> names, avoid;
  for (u32 n = 1 + in.below(8); n--;) {
    std::string name;
    for (u32 k = 1 + in.below(4); k--;) name += in.coin() ? 'a' : 'b';
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  }
  for (u32 n = in.below(4); n--;) avoid.push_back(names[in.below(8) % names.size()] + "a");
  const std::size_t more = in.below(20);
  const u64 min_count = 1 + in.below(4);
  std::map<std::string, naive::SpeltWord> words;
  std::set<std::size_t> used;
  for (u32 n = in.below(20); n--;) {
    naive::SpeltWord word{{}, 1 + in.below(9)};
    std::string spelt;
    for (u32 k = 1 + in.below(9); k--;) {
      const std::size_t i = in.byte() % names.size();
      word.pieces.push_back(names[i]);
      spelt += text_of(compare::letter(i));
      used.insert(i);
    }
    words[spelt] = word;
  }
  Table table;
  Trainer::Options options{0, {}, min_count, ~std::size_t{0}, false, "", {}, {}};
  options.avoid.insert(avoid.begin(), avoid.end());
  std::vector<naive::SpeltWord> plainly;
  std::vector<std::string> known;
  for (const auto& [spelt, word] : words) {
    table.add(Key(spelt), word.count, plainly.size());
    plainly.push_back(word);
  }
  for (std::size_t i : used) {
    options.names[compare::letter(i)] = names[i];
    known.push_back(names[i]);
  }
  std::vector<std::pair<std::string, u64>> merged;
  for (auto& [piece, count] : Trainer(table, options).train_further(more))
    merged.emplace_back(piece, count);
  check(merged == naive::merge_further(plainly, known, more, min_count, avoid), "merged further");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const u8* data, std::size_t size) {
  Input in(data, size, kUnitLetters);
  const u32 kind = in.below(8);
  if (kind == 0) {
    check_further(in);
    return 0;
  }
  Setting setting = read_setting(in);
  // subtle: by chance, as in fuzz_text.cpp
  if (Key(reinterpret_cast<const char*>(data), static_cast<u32>(size)).hash % 16 == 0)
    setting.threads = 3;
  std::string text = in.rest(true).substr(0, 2000);
  while (!naive::characters(text)) text.pop_back();  // cut in a character
  if (kind == 1 && !text.empty()) text += std::string(600, text[0] & 0x80 ? 'a' : text[0]);
  if (!text.empty()) check_units(text, setting);
  return 0;
}
