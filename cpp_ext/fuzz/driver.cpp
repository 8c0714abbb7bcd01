// All of the headers on a text long enough for several threads, to be built with sanitizers; its
// results must not depend on the threads. See the Makefile.
#include "compare.hpp"
#include "generated.hpp"

using namespace specialize;
using compare::check;
using compare::plain;
using compare::same;

namespace {

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

struct Summed {
  std::vector<u64> sums;
  std::vector<std::pair<u32, u64>> missing;

  explicit Summed(const Audit& of)
      : sums{of.words, of.pieces, of.unknown, of.continued},
        missing(compare::ranked<u32>({of.missing.begin(), of.missing.end()})) {}
  bool operator==(const Summed&) const = default;
};

struct Results {
  naive::Tallies<std::string> tokens;
  naive::Words words;
  u64 characters, bytes;
  Summed audit;
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
  const Summed sum(audit(words.table, old, threads));
  check(sum == Summed(audit_tokens(counted.tokens, by, old, threads).words), "audit of tokens");
  Results all{plain(counted.tokens), plain(words), counted.extent.characters,
              counted.extent.bytes, sum, {}, {}, {}, {}};
  const auto keep = [&](const Replacements& found) {
    all.replaced.push_back(compare::by_piece(found.replaced));
    all.replaced.push_back(compare::by_piece(found.overall));
  };
  const Harmless harmless(old, by);
  check(Sieve::suits(harmless), "a closed alphabet");
  Text sieved{Sieve(harmless)};
  sieved.feed(text.data(), text.size(), true, threads);
  check(sieved.tokens.size() < counted.tokens.size(), "a sieve keeps less than all");
  keep(replacements(sieved.tokens, old, now, &by, Unit::word, false, threads));
  keep(replacements(counted.tokens, old, now, &by, Unit::word, false, threads));
  check(all.replaced[0] == all.replaced[2], "replacements in what a sieve keeps");
  keep(replacements(words.table, old, now, nullptr, Unit::whole, true, threads));
  for (Unit unit : {Unit::whole, Unit::token, Unit::word})
    keep(replacements(counted.tokens, old, now, &by, unit, true, threads));
  std::vector<int> fresh;
  for (int id = 90; id < 600; ++id) fresh.push_back(id);
  all.told = plain(explain(words.table, old, now, fresh, 5, threads));
  all.covered = plain(coverage(words.table, now, fresh, {0, 10, 300, 510}, threads));
  all.chosen = compare::chosen(Chooser(words.table, old, threads), now.pieces(), 20);
  return all;
}

// Whether it is UTF-8, by its characters; no byte behind its end may be looked at.
void check_valid(std::string_view token) {
  std::vector<char> room(Entry::size(token.size()) + Key::kNear);
  Entry::make(room.data(), Key(token), 1, 0);
  const Entry& entry = *std::launder(reinterpret_cast<Entry*>(room.data()));
  const bool good = naive::characters(std::string(token)).has_value();
  check(valid(entry) == good && valid(token) == good, "whether a token is UTF-8");
}

// Few hashes for many strings, short and long, which two partitions have some of each.
void check_crowded() {
  std::mt19937_64 random(17);
  std::vector<std::string> strings;
  for (int i = 0; i < 3000; ++i)
    strings.push_back(std::string(random() % 90, 'x') + std::to_string(i));
  for (const u64 hashes : {1, 3, 200, 3000}) {
    std::map<std::string, std::pair<u64, u64>> expected;
    Partition parts[2];
    for (int i = 0; i < 20'000; ++i) {
      const std::size_t at = random() % strings.size();
      const u64 count = random() % 3 ? 1 : random() % (u64{1} << 33), first = random() % 100'000;
      Key key(strings[at]);
      key.hash = (at % hashes) * 0x9e3779b97f4a7c15;
      parts[random() % 2].add(key, count, first);
      auto& sum = expected.try_emplace(strings[at], 0, first).first->second;
      sum = {sum.first + count, std::min(sum.second, first)};
    }
    parts[0].adopt(std::move(parts[1]));
    std::map<std::string, std::pair<u64, u64>> found;
    parts[0].each([&](const Entry& e) { found[std::string(e.view())] = {e.count(), e.first()}; });
    check(found == expected && parts[0].size() == found.size(), "a crowded partition");
  }
}

// Long enough to look ahead in (outlook.hpp), with many types, of which some are not UTF-8.
void check_long() {
  std::string text = generated::text(std::size_t{17} << 20);
  std::mt19937_64 random(11);
  for (std::size_t at = 0; at < text.size(); at += 1 + random() % 200)
    text[at] = static_cast<char>(random());
  Text whole, blocks;
  whole.feed(text.data(), text.size(), true, 1);
  for (std::size_t from = 0, step = 6'000'000; from < text.size(); from += step)
    blocks.feed(&text[from], std::min(step, text.size() - from), false, 3);
  blocks.feed(nullptr, 0, true, 1);
  check(plain(whole.tokens) == plain(blocks.tokens), "tokens of a long text");
  check(!whole.valid(1) && !blocks.valid(3), "a text that is not UTF-8");
  for (const Entry* e : whole.tokens.ordered()) check_valid(e->view());
}

// Short keys of few and of many letters, crowded, so that cells of several parents stand side by
// side.
void check_trie() {
  std::mt19937_64 random(3);
  const auto any = [&] {
    std::string key;
    for (u64 n = random() % 4; n; --n) {
      const u64 wide = 1 + random() % 0xd000 * (random() % 20);
      encode(static_cast<u32>(random() % 3 ? 'a' + random() % 24 : wide), key);
    }
    return naive::characters(key) ? key : std::string("?");
  };
  std::map<std::pair<bool, std::string>, int> known;
  while (known.size() < 6'000)
    known.try_emplace({random() % 2, any()}, static_cast<int>(known.size()));
  std::vector<Trie::Key> keys;
  for (const auto& [key, value] : known) keys.push_back({key.second, key.first, value});
  const Trie trie(keys);
  for (int i = 0; i < 300'000; ++i) {
    const bool inside = random() % 2;
    const std::string text = any() + any();
    const char *const p = text.data(), *const end = p + text.size();
    std::vector<std::pair<std::string, int>> expected, found;
    for (std::size_t n = 1; n <= text.size(); ++n)
      if (const auto at = known.find({inside, text.substr(0, n)}); at != known.end())
        expected.emplace_back(text.substr(0, n), at->second);
    trie.each(inside, p, end, [&](int value, const char* to) {
      found.emplace_back(std::string(p, to), value);
    });
    check(found == expected, "keys of a trie");
    const Trie::Longest longest = trie.longest(inside, p, end);
    check(!longest.end == expected.empty(), "the longest key");
    if (longest.end)
      check(std::string(p, longest.end) == expected.back().first &&
                trie.value(longest) == expected.back().second, "the longest key");
    const bool whole = !expected.empty() && expected.back().first == text;
    check(trie.find(inside, text) == (whole ? expected.back().second : -1), "a key");
  }
}

// What a sieve keeps of tokens of letters, of other characters and of bytes that are none, short
// ones and such as are longer than a block.
void check_sieve() {
  const std::vector<std::string> letters{"a",      "b",      ".",      "\u00e9",
                                         "\u0628", "\u4e16", "\ufffd", "\u0e01"};
  const std::vector<std::string> others{
      "c",        "[",    std::string(1, '\0'), "\u05d0", "\u0e02", "\uac00", "\U0001f600",
      "\xc1\xa1", "\x80", "\xe0\x81\xa1",      "\xc3",   "\xe4",   "\xe4\xb8", "\xed\xa0\x80",
      "\xf5",     "\xff"};
  std::vector<std::string> pieces{"[UNK]", "[MASK]"};
  for (const std::string& letter : letters)
    for (const char* prefix : {"", "##"}) pieces.push_back(prefix + letter);
  const Rules by = rules();
  const Sieve sieve(Harmless(WordPiece(pieces, "##", 0, 100, {0, 1}), by));
  std::mt19937_64 random(5);
  const auto any = [&](const auto& of) { return of[random() % of.size()]; };
  std::size_t kept = 0, all = 0;
  for (int i = 0; i < 20'000; ++i) {
    std::string text;
    naive::Tallies<std::string> expected;
    const u64 separators = 1 + random() % 3, size = random() % 4 ? 8 : 110;
    for (const bool valid = random() % 2; text.size() < 300;) {
      for (u64 n = separators; n--;) text += " \t\r\n"[random() % 4];
      std::string token;
      const u64 least = 1 + random() % size, rare = 1 + random() % 60;
      while (token.size() < least)
        token += random() % rare ? any(letters) : others[random() % (valid ? 7 : others.size())];
      const auto known = [&](const std::string& c) {
        return std::find(letters.begin(), letters.end(), c) != letters.end();
      };
      const bool good = naive::characters(token).has_value();
      const auto spelt = good ? naive::letters(token) : others;
      const bool is_kept = token.size() > 100 || !std::all_of(spelt.begin(), spelt.end(), known);
      if (is_kept) expected[token].add(1, text.size());
      all += 1;
      kept += is_kept;
      text += token;
    }
    compare::check_looks(sieve, text);
    Text sieved(sieve);
    const std::vector<char> copy(text.begin(), text.end());  // a look beyond it is seen
    sieved.feed(copy.data(), copy.size(), true, 1);
    check(plain(sieved.tokens) == expected, "tokens that a sieve keeps");
  }
  check(kept > all / 10 && kept < all - all / 10, "tokens of both kinds");
}

}  // namespace

int main() {
  check_sieve();
  check_trie();
  check_crowded();
  check_long();
  const std::string text = generated::text(std::size_t{5} << 20);
  const Results one = compute(text, false, 1);
  naive::Tallies<std::string> tokens;
  naive::count_tokens(text, 0, tokens);
  check(one.tokens == tokens, "tokens");
  for (unsigned threads : {2u, 4u})
    for (bool in_blocks : {false, true}) {
      const Results more = compute(text, in_blocks, threads);
      check(more.tokens == one.tokens && same(more.words, one.words), "tokens and words");
      check(more.characters == one.characters && more.bytes == one.bytes, "lines");
      check(more.audit == one.audit, "audit");
      check(more.replaced == one.replaced && more.told == one.told, "replacements");
      check(more.covered == one.covered && more.chosen == one.chosen, "coverage and choice");
    }
  std::printf("%zu bytes, %zu tokens, %zu words: the same in 1, 2 and 4 threads\n", text.size(),
              one.tokens.size(), one.words.words.size());
}
