// Units, BPE, Unigram and further merging on a long text, to be built with sanitizers; the results
// must not depend on the threads. See driver.cpp and the Makefile.
#include "compare_units.hpp"
#include "generated.hpp"

using namespace specialize;
using compare::check;

namespace {

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t from = 0, to; from < text.size(); from = to + 1) {
    to = std::min(text.find('\n', from), text.size());
    lines.push_back(text.substr(from, to - from));
  }
  return lines;
}

// The beginnings of many words of the text.
std::set<std::string> beginnings(const std::string& text) {
  std::set<std::string> all;
  for (std::size_t at = 0; at < text.size(); at += 5'000) {
    const std::size_t from = std::min(text.find(' ', at), text.size() - 1) + 1;
    const std::size_t to = std::min(text.find_first_of(" \n", from), text.size());
    if (to - from > 40) continue;
    std::string piece;
    for (const std::string& letter : naive::letters(text.substr(from, to - from)))
      all.insert(piece += letter);
  }
  return all;
}

struct Results {
  std::vector<std::pair<std::string, u64>> units, merged;
  std::vector<std::vector<u64>> sums;
  std::vector<std::vector<std::pair<u32, u64>>> missing;
  std::vector<std::vector<std::string>> rest;

  void add(const UnitAudit& sum) {
    sums.push_back({sum.words, sum.pieces, sum.unknown_words, sum.unknown_pieces, sum.continued,
                    sum.characters, sum.bytes});
    missing.push_back(compare::ranked<u32>({sum.missing.begin(), sum.missing.end()}));
    rest.emplace_back();
    for (const Entry* e : sum.rest) rest.back().emplace_back(e->view());
  }
  bool operator==(const Results&) const = default;
};

Results compute(const std::vector<std::string>& lines, const naive::Bpe& bpe,
                const naive::Unigram& unigram, unsigned threads) {
  Units units(compare::native(naive::Loose{' ', '\t', '\r', 0x301, 0x200c, 0x3000, 0x2581}));
  for (std::size_t from = 0, step = lines.size() / 3 + 1; from < lines.size(); from += step)
    units.feed({lines.begin() + static_cast<std::ptrdiff_t>(from),
                lines.begin() + static_cast<std::ptrdiff_t>(std::min(from + step, lines.size()))},
               threads);
  Results all;
  all.units = compare::counts(units.table);
  std::string kinds(0x3001, static_cast<char>(Kind::letter));
  for (char c : {' ', '\n', '\r', '\t'}) kinds[static_cast<std::size_t>(c)] = char(Kind::space);
  for (u32 c : {u32{'.'}, 0x301u, 0x200cu}) kinds[c] = static_cast<char>(Kind::other);
  kinds[0x3000] = static_cast<char>(Kind::space);
  const ByteBpe merges = compare::native(bpe);
  const Contents special({"abc", "zzzz"});
  const Pattern gpt2{false, false, false, 9, true}, cl100k{true, true, true, 3, false};
  for (const Pattern& pattern : {gpt2, cl100k})
    all.add(BpeCount(units.table, merges, pattern, kinds, special).run(threads));
  const Unigram by = compare::native(unigram);
  const std::vector<std::string> hard{all.units[0].first, all.units.back().first};
  all.add(UnigramCount(units.table, by, {true, true}, special, hard).run(threads));
  Trainer::Options options{0, {}, 2, ~std::size_t{0}, false, "", {}, {}};
  options.avoid = {" a", "ab"};
  for (auto& [piece, count] : Trainer(units.table, options).train_further(200))
    all.merged.emplace_back(piece, count);
  return all;
}

}  // namespace

int main() {
  const std::string text = generated::text(std::size_t{4} << 20);
  const std::vector<std::string> lines = lines_of(text);
  naive::Bpe bpe;
  naive::Unigram unigram{{{Unigram::kMark, -3.0}}, -20.0};
  for (const std::string& piece : beginnings(text)) {
    unigram.pieces[piece] = -static_cast<double>(piece.size() % 7);
    for (std::size_t n = 1; n < piece.size(); ++n)
      bpe.merges.emplace_back(piece.substr(0, n), piece.substr(n, 1));
  }
  bpe.whole = {" de", "ba"};
  const Results one = compute(lines, bpe, unigram, 1);
  for (unsigned threads : {2u, 4u})
    check(compute(lines, bpe, unigram, threads) == one, "units in threads");
  std::printf("%zu bytes, %zu units, %llu and %llu pieces: the same in 1, 2 and 4 threads\n",
              text.size(), one.units.size(), static_cast<unsigned long long>(one.sums[0][1]),
              static_cast<unsigned long long>(one.sums[2][1]));
}
