// A libFuzzer target: whatever the bytes, the headers compute what their naive counterparts do,
// the text whole or in blocks, with one thread or three. See the Makefile.
//
// The first bytes are settings: how to cut the rest, rules of characters, two vocabularies whose
// pieces are cut from the text, options of training. Bad settings do not exist.
#include "compare.hpp"
#include "input.hpp"
#include "naive_train.hpp"

using namespace specialize;
using compare::check;
using compare::plain;
using compare::same;
using input::Input;
using input::text_of;

namespace {

struct Setting {
  unsigned threads = 1;
  bool trains = false;
  naive::RuleTable rules;
  bool hard = false;
  std::vector<u32> places, steps;  // of files and blocks
  struct Cut {
    u32 at, length;
    bool inside;
  };
  std::vector<Cut> old_pieces, new_pieces;
  std::string prefix, special;
  bool closed = false;  // each character of the old pieces is a piece, alone and inside a word
  std::size_t max_chars = 100;
  Trainer::Options training;
};

Setting read_setting(Input& in) {
  Setting s;
  for (u32 n = in.below(8); n--;) {
    naive::CharacterRule rule{static_cast<Rule>(in.below(6)), {}};
    if (rule.rule == Rule::mapped) {  // no rule of BERT's makes two words of a character
      for (u32 kind = in.below(8), k = 0; k < kind / 2; ++k) rule.text += text_of('a' + k);
      if (in.coin()) rule.text = ' ' + rule.text + ' ';
    }
    s.rules[in.letter()] = rule;
  }
  for (const auto& [code, rule] : s.rules) s.hard |= rule.rule == Rule::hard;
  s.prefix = in.coin() ? "" : "##";
  s.max_chars = in.coin() ? 100 : 1 + in.below(8);
  if (in.coin()) s.special = "ab";
  s.closed = in.coin();
  for (auto* cuts : {&s.old_pieces, &s.new_pieces})
    for (u32 n = in.below(24); n--;) {
      const u32 at = in.byte(), form = in.byte();
      cuts->push_back({at, form % 5, form >= 128});
    }
  for (u32 n = in.below(3); n--;) s.places.push_back(in.byte());
  for (u32 n = 1 + in.below(3); n--;) s.steps.push_back(1 + in.byte());
  s.training = {4 + in.below(90), {"[UNK]"}, 1 + in.below(3), in.below(20), in.coin(), s.prefix};
  if (!s.special.empty()) s.training.special.push_back(s.special);
  return s;
}

// [UNK], [MASK] and perhaps another special piece, then what the cuts make of the text.
naive::Vocabulary vocabulary_of(const Setting& s, const std::vector<Setting::Cut>& cuts,
                                const std::vector<std::string>& letters) {
  naive::Vocabulary v{{"[UNK]", "[MASK]"}, s.prefix, 0, s.max_chars, {0, 1}};
  if (!s.special.empty()) {
    v.pieces.push_back(s.special);
    v.special.push_back(2);
  }
  for (const auto& cut : cuts) {
    std::string piece = cut.inside ? s.prefix : "";
    for (u32 k = 0; k < cut.length && !letters.empty(); ++k)
      piece += letters[(cut.at + k) % letters.size()];
    if (v.id(piece) < 0) v.pieces.push_back(piece);
  }
  return v;
}

void close(naive::Vocabulary& v) {
  for (const std::string& piece : std::vector(v.pieces.begin() + 2, v.pieces.end()))
    for (const std::string& letter : naive::letters(piece))
      for (const std::string& form : {letter, v.prefix + letter})
        if (v.id(form) < 0) v.pieces.push_back(form);
}

WordPiece native(const naive::Vocabulary& v) {
  return {v.pieces, v.prefix, v.unk, static_cast<u32>(v.max_chars), v.special};
}

Rules native(const naive::RuleTable& table) {
  Rules rules;
  for (const auto& [code, rule] : table) {
    if (rule.rule == Rule::mapped) rules.map(code, rule.text);
    else rules.set(code, code, rule.rule);
  }
  return rules;
}

std::vector<std::string> files_of(const std::string& text, const Setting& s) {
  std::vector<std::string> files;
  std::size_t from = 0;
  for (u32 place : s.places) {
    const std::size_t to = std::min(text.size(), from + place);
    files.push_back(text.substr(from, to - from));
    from = to;
  }
  files.push_back(text.substr(from));
  return files;
}

// Each block in memory of its own, so that a look beyond it is seen.
void feed(Text& to, std::string_view block, bool whole, unsigned threads) {
  const std::vector<char> copy(block.begin(), block.end());
  to.feed(copy.data(), copy.size(), whole, threads);
}

void feed_in_blocks(Text& to, const std::string& file, const Setting& s) {
  std::size_t from = 0;
  for (std::size_t k = 0; from < file.size(); ++k) {
    const std::size_t n = std::min<std::size_t>(s.steps[k % s.steps.size()], file.size() - from);
    from += n;
    feed(to, std::string_view(file).substr(from - n, n), k % 2 && from == file.size(), s.threads);
  }
  feed(to, {}, true, 1);
}

// What ``look`` finds in the whole blocks of a text, window by window.
std::vector<std::vector<u64>> found(scanning::Look look, const std::string& text) {
  const auto w = std::make_unique<scanning::Window>();
  std::vector<std::vector<u64>> all;
  for (std::size_t at = 0; at + 64 <= text.size(); at += 64 * scanning::Window::kBlocks) {
    w->open();
    look(&text[at], std::min((text.size() - at) / 64, scanning::Window::kBlocks), at, *w);
    all.push_back({w->inside, w->inner});
    all.emplace_back(w->edges, w->edges + w->n);
    all.emplace_back(w->breaks, w->breaks + w->lines);
  }
  return all;
}

void check_windows(const std::string& text) {
  const auto plainly = found(scanning::look_plain, text);
  check(found(scanning::kLook, text) == plainly, "edges of tokens");
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2"))
    check(found(scanning::look_avx2, text) == plainly, "edges of tokens");
#endif
}

// A sieve keeps all but the tokens whose characters tell that they are known.
void check_sieve(const std::string& text, const Text& all, const Setting& s, bool is_valid,
                 const WordPiece& old, const WordPiece& now) {
  const Rules rules = native(s.rules);
  const Harmless harmless(old, rules);
  if (!Sieve::suits(harmless)) return;
  const Sieve sieve(harmless);
  compare::check_looks(sieve, text);
  Text whole(sieve), blocks(sieve);
  for (const std::string& file : files_of(text, s)) {
    feed(whole, file, true, 1);
    feed_in_blocks(blocks, file, s);
  }
  check(whole.valid(1) == is_valid && blocks.valid(1) == is_valid, "whether it is UTF-8, sieved");
  naive::Tallies<std::string> left;
  for (const Entry* e : all.tokens.ordered())
    if (!harmless.holds(*e)) left[std::string(e->view())] = {e->count(), e->first()};
  check(plain(whole.tokens) == left && plain(blocks.tokens) == left, "tokens that a sieve keeps");
  if (s.hard || !is_valid) return;
  const auto of = [&](const Text& counted) {
    return compare::by_piece(
        replacements(counted.tokens, old, now, &rules, Unit::word, false, s.threads).replaced);
  };
  check(of(blocks) == of(all), "replacements in what a sieve keeps");
}

// Refuses what is not UTF-8, unless it never comes to look at it.
void check_refused(const Text& text, const Setting& s, const WordPiece& vocabulary) {
  const Rules rules = native(s.rules);
  bool refused = false;
  try {
    words_of(text.tokens, rules, vocabulary.specials(), s.threads);
  } catch (const std::invalid_argument&) {
    refused = true;
  }
  check(refused || s.hard, "bytes that are not UTF-8 are refused");
}

void check_replacements(const Text& text, const Words& words, const Setting& s,
                        const naive::Vocabulary& old, const naive::Vocabulary& now) {
  const WordPiece before = native(old), after = native(now);
  const auto tokens = plain(text.tokens), found = plain(words.table);
  const auto of_words = naive::replacements(naive::word_units(found, old, now), old, now);
  check(same(replacements(words.table, before, after, nullptr, Unit::whole, true, s.threads), of_words),
        "replacements by words");
  if (s.hard) return;
  const Rules rules = native(s.rules);
  const auto all = plain(words_of(text.tokens, rules, Specials(), s.threads).table);
  auto of_all = naive::replacements(naive::word_units(all, old, now), old, now);
  for (bool overall : {true, false}) {
    if (!overall) of_all.overall = {};
    check(same(replacements(text.tokens, before, after, &rules, Unit::word, overall, s.threads),
               of_all),
          "replacements by words, token by token");
  }
  for (bool parted : {false, true}) {
    const auto units = naive::token_units(tokens, s.rules, parted, old, now);
    check(same(replacements(text.tokens, before, after, &rules, parted ? Unit::token : Unit::whole, true,
                            s.threads),
               naive::replacements(units, old, now)),
          "replacements by tokens");
  }
}

void check_effects(const Words& words, const Setting& s, const naive::Vocabulary& old,
                   const naive::Vocabulary& now) {
  const WordPiece before = native(old), after = native(now);
  std::vector<int> fresh;
  std::vector<std::string> candidates;
  for (std::size_t i = now.special.size(); i < now.pieces.size(); ++i)
    if (old.id(now.pieces[i]) < 0) {
      fresh.push_back(static_cast<int>(i));
      if (now.pieces[i].size() > now.prefix.size()) candidates.push_back(now.pieces[i]);
    }
  const std::set<std::size_t> some{0, fresh.size() / 3, fresh.size()};
  const std::vector<std::size_t> points(some.begin(), some.end());
  const auto covered = naive::coverage(plain(words.table), now, fresh, points);
  check(plain(coverage(words.table, after, fresh, points, s.threads)) == covered, "coverage");
  const auto chosen = compare::chosen(Chooser(words.table, before, 1), candidates, 5);
  const auto told = plain(explain(words.table, before, after, fresh, 3, 1));
  if (s.threads == 1) return;
  check(plain(explain(words.table, before, after, fresh, 3, s.threads)) == told, "explained");
  check(compare::chosen(Chooser(words.table, before, s.threads), candidates, 5) == chosen,
        "chosen");
}

void check_training(const Words& words, const Words& again, const Setting& s) {
  std::vector<std::string> pieces;
  naive::Trainer slow(plain(words.table), s.training);
  try {
    pieces = Trainer(words.table, s.training).train();
  } catch (const Trainer::TooSmall& fault) {
    check(fault.needed > s.training.size && fault.needed == slow.pieces().size(), "too small");
    return;
  }
  check(pieces == Trainer(again.table, s.training).train(), "trained twice");
  if (words.table.size() > 200) return;  // then the naive one takes too long
  slow.train();
  check(pieces == slow.pieces(), "trained naively");
}

void check_text(const std::string& text, const Setting& s) {
  Text whole, blocks;
  naive::Tallies<std::string> tokens;
  u64 characters = 0, bytes = 0, base = 0;
  const bool valid = naive::characters(text).has_value();
  for (const std::string& file : files_of(text, s)) {
    if (valid && !naive::characters(file)) return;  // a character was cut in two
    feed(whole, file, true, 1);
    feed_in_blocks(blocks, file, s);
    naive::count_tokens(file, base, tokens);
    if (valid) naive::measure_lines(file, characters, bytes);
    base += file.size();
  }
  check(plain(whole.tokens) == tokens, "tokens");
  check(plain(blocks.tokens) == tokens, "tokens in blocks");
  check(whole.valid(1) == valid && blocks.valid(s.threads) == valid, "whether it is UTF-8");
  auto letters = valid ? naive::letters(text) : std::vector<std::string>{};
  if (!valid)
    for (u32 code : input::kLetters) letters.push_back(text_of(code));
  naive::Vocabulary old = vocabulary_of(s, s.old_pieces, letters);
  if (s.closed) close(old);
  const naive::Vocabulary now = vocabulary_of(s, s.new_pieces, letters);
  const WordPiece vocabulary = native(old);
  check_sieve(text, whole, s, valid, vocabulary, native(now));
  if (!valid) return check_refused(whole, s, vocabulary);
  check(whole.extent.characters == characters && whole.extent.bytes == bytes, "lines");
  check(blocks.extent.characters == characters && blocks.extent.bytes == bytes,
        "lines in blocks");

  const Rules rules = native(s.rules);
  const Words words = words_of(whole.tokens, rules, vocabulary.specials(), 1);
  const Words shared = words_of(blocks.tokens, rules, vocabulary.specials(), s.threads);
  const naive::Words slow = naive::words_of(tokens, s.rules, old);
  check(same(plain(words), slow) && same(plain(shared), slow), "words");
  const naive::Audit sum = naive::audit(slow.words, old);
  check(same(audit(words.table, vocabulary, 1), sum), "audit");
  check(same(audit(shared.table, vocabulary, s.threads), sum), "audit of blocks");
  for (const Text* counted : {&whole, &blocks}) {
    const TokenAudit at_once = audit_tokens(counted->tokens, rules, vocabulary, s.threads);
    check(same(at_once.words, sum) && same(at_once, slow), "audit of tokens");
  }
  check_replacements(whole, shared, s, old, now);
  check(plain(unknown_of(words.table, vocabulary, s.threads)) == naive::unknown_of(slow.words, old),
        "unknown words");
  check_effects(words, s, old, now);
  if (s.trains) check_training(words, shared, s);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const u8* data, std::size_t size) {
  Input in(data, size);
  const bool lettered = in.coin();
  Setting setting = read_setting(in);
  // subtle: by chance, or the corpus fills with inputs that cost more than all others
  const u64 chance = Key(reinterpret_cast<const char*>(data), static_cast<u32>(size)).hash % 16;
  if (chance == 0) setting.threads = 3;
  setting.trains = chance == 1;
  const std::string text = in.rest(lettered).substr(0, 3000);
  if (lettered && !naive::characters(text)) return 0;  // cut in a character
  check_windows(text);
  check_text(text, setting);
  return 0;
}
