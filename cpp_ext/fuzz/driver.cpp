// All of the headers on a text long enough for several threads, to be built with sanitizers; its
// results must not depend on the threads. See the Makefile.
#include <random>

#include "compare.hpp"

using namespace specialize;
using compare::check;
using compare::plain;
using compare::same;

namespace {

// Words of a skewed distribution in two alphabets, with marks, long tokens and odd white space.
std::string generated(std::size_t bytes) {
  std::mt19937_64 random(7);
  std::vector<std::string> types;
  for (int i = 0; i < 30'000; ++i) {
    std::string word;
    for (u64 n = 1 + random() % 9; n--;) {
      const auto letter = static_cast<u32>(random() % 24);
      encode(i % 2 ? 'a' + letter : 0x628 + letter, word);
      if (random() % 40 == 0) encode(0x301, word);
    }
    types.push_back(word);
  }
  std::string text;
  for (std::size_t nth = 0; text.size() < bytes; ++nth) {
    const double even = static_cast<double>(random() >> 11) * 0x1p-53;
    text += types[static_cast<std::size_t>(even * even * even * 30'000)];
    if (nth % 50'000 == 49'999) text.append(5'000 + nth % 30'000, 'z');  // blocks of their own
    text += nth % 17 == 0 ? ".\n" : nth % 91 == 0 ? "\u3000" : nth % 31 == 0 ? "\u200c" : " ";
  }
  return text;
}

Rules rules() {
  Rules all;
  all.set('.', '.', Rule::alone);
  all.set(0x200c, 0x200c, Rule::remove);
  all.set(0x3000, 0x3000, Rule::space);
  all.map(0x301, "");
  return all;
}

WordPiece vocabulary_of(const Words& words, std::size_t size, std::size_t alphabet) {
  Trainer::Options options{size, {"[UNK]", "[MASK]"}, 5, alphabet};
  return {Trainer(words.table, options).train(), "##", 0, 100, {0, 1}};
}

struct Results {
  naive::Tallies<std::string> tokens;
  naive::Words words;
  u64 characters, bytes;
  std::vector<u64> audit;
  std::vector<std::pair<u32, u64>> missing;
  std::vector<std::vector<std::pair<int, u64>>> replaced;
  compare::Told told;
  std::vector<std::pair<u64, u64>> covered;
  std::vector<std::string> chosen;
};

Results compute(const std::string& text, bool in_blocks, unsigned threads) {
  Text counted;
  if (in_blocks)
    for (std::size_t from = 0, step = 2'500'000; from < text.size(); from += step)
      counted.feed(&text[from], std::min(step, text.size() - from), false, threads);
  counted.feed(in_blocks ? nullptr : text.data(), in_blocks ? 0 : text.size(), true, threads);
  check(counted.valid(threads), "UTF-8");
  const Rules by = rules();
  Specials special;
  special.add("[MASK]", 1);
  const Words words = words_of(counted.tokens, by, special, threads);
  const WordPiece old = vocabulary_of(words, 90, 30), now = vocabulary_of(words, 600, 1000);
  const Audit sum = audit(words.table, old, threads);
  Results all{plain(counted.tokens),
              plain(words),
              counted.extent.characters,
              counted.extent.bytes,
              {sum.words, sum.pieces, sum.unknown, sum.continued},
              compare::ranked<u32>({sum.missing.begin(), sum.missing.end()}),
              {}, {}, {}, {}};
  const auto keep = [&](const Replacements& found) {
    all.replaced.push_back(compare::by_piece(found.replaced));
    all.replaced.push_back(compare::by_piece(found.overall));
  };
  keep(replacements(words.table, old, now, nullptr, false, true, threads));
  for (bool parted : {false, true})
    keep(replacements(counted.tokens, old, now, &by, parted, true, threads));
  std::vector<int> fresh;
  for (int id = 90; id < 600; ++id) fresh.push_back(id);
  all.told = plain(explain(words.table, old, now, fresh, 5, threads));
  all.covered = plain(coverage(words.table, now, fresh, {0, 10, 300, 510}, threads));
  all.chosen = compare::chosen(Chooser(words.table, old, threads), now.pieces(), 20);
  return all;
}

}  // namespace

int main() {
  const std::string text = generated(std::size_t{5} << 20);
  const Results one = compute(text, false, 1);
  naive::Tallies<std::string> tokens;
  naive::count_tokens(text, 0, tokens);
  check(one.tokens == tokens, "tokens");
  for (unsigned threads : {2u, 4u})
    for (bool in_blocks : {false, true}) {
      const Results more = compute(text, in_blocks, threads);
      check(more.tokens == one.tokens && same(more.words, one.words), "tokens and words");
      check(more.characters == one.characters && more.bytes == one.bytes, "lines");
      check(more.audit == one.audit && more.missing == one.missing, "audit");
      check(more.replaced == one.replaced && more.told == one.told, "replacements");
      check(more.covered == one.covered && more.chosen == one.chosen, "coverage and choice");
    }
  std::printf("%zu bytes, %zu tokens, %zu words: the same in 1, 2 and 4 threads\n", text.size(),
              one.tokens.size(), one.words.words.size());
}
