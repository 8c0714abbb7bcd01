// Greedy choice of pieces for words that earlier ones leave unknown; reference implementations:
// specialize/vocab/wordpiece/characters.py and specialize/augment/greedy.py.
#pragma once

#include <limits>
#include <optional>

#include "wordpiece.hpp"

namespace specialize {

class Chooser {
 public:
  Chooser(const Table& words, const WordPiece& vocabulary, unsigned threads)
      : vocabulary_(vocabulary), threads_(std::max(1u, threads)) {
    std::vector<std::vector<const Entry*>> parts(threads_);
    each_partition(threads_, [&](std::size_t p, unsigned t) {
      std::vector<int> ids;
      words.parts[p].each([&](const Entry& e) {
        if (vocabulary_.too_long(e.view()) || vocabulary_.covers(e.view(), ids)) return;
        // subtle: special pieces are not in the alphabet, but may cover a word
        if (dead_end(e.view()) < e.length()) parts[t].push_back(&e);
      });
    });
    std::vector<const Entry*> unknown;
    for (auto& part : parts) unknown.insert(unknown.end(), part.begin(), part.end());
    std::sort(unknown.begin(), unknown.end(),
              [](auto* a, auto* b) { return a->first() < b->first(); });
    for (const Entry* e : unknown) {
      words_.push_back({text_.size(), static_cast<u32>(e->length()), e->count()});
      text_.append(e->view());
      text_ += '\n';  // never inside a word
    }
    left_ = words_.size();
    for (const Word& w : words_) need(w, +1);
  }

  // The one-character pieces that unknown words lack, in order of first occurrence.
  std::vector<std::string> needs() const {
    std::vector<std::string> forms;
    for (const Need& n : needs_) forms.push_back(piece_of(n.form));
    return forms;
  }

  // Adds and returns the character that the most unknown words lack, if ``least`` of them do.
  std::optional<std::string> next_missing(std::int64_t least) {
    if (!left_) return {};
    const Need& most = most_needed();
    if (most.count < least) return {};
    const std::string piece = piece_of(most.form);
    add(piece);
    return piece;
  }

  // Sets the candidates of next_best.
  void consider(std::vector<std::string> candidates) {
    names_ = std::move(candidates);
    candidates_.emplace(trie_of(names_, vocabulary_.prefix()));
    gains_.assign(names_.size(), 0);
    std::vector<std::vector<std::int64_t>> parts(threads_, gains_);
    run(threads_, [&](unsigned t) {
      for (std::size_t i = t; i < words_.size(); i += threads_) gain(words_[i], +1, parts[t]);
    });
    for (const auto& part : parts)
      for (std::size_t i = 0; i < gains_.size(); ++i) gains_[i] += part[i];
  }

  // Adds and returns the candidate that makes the most words known, or a character if none does.
  std::optional<std::string> next_best() {
    if (!left_) return {};
    const auto best = std::max_element(gains_.begin(), gains_.end());
    const bool any = best != gains_.end() && *best > 0;
    const std::string piece =
        any ? names_[static_cast<std::size_t>(best - gains_.begin())]
            : piece_of(most_needed().form);
    for (std::size_t i = 0; i < names_.size(); ++i)
      if (names_[i] == piece) gains_[i] = kGone;
    add(piece);
    return piece;
  }

 private:
  static constexpr std::size_t kBuckets = 4096;
  static constexpr std::int64_t kGone = std::numeric_limits<std::int64_t>::min() / 2;

  struct Word {
    u64 at;
    u32 length;
    u64 count;
    bool known = false;
  };
  struct Form {
    bool inside;
    u32 character;
  };
  struct Need {
    Form form;
    std::int64_t count = 0;
  };
  struct Extra {  // a piece on trial
    bool inside;
    std::string_view text;
  };

  std::string_view view(const Word& w) const { return {text_.data() + w.at, w.length}; }

  std::string piece_of(Form form) const {
    std::string piece = form.inside ? vocabulary_.prefix() : "";
    encode(form.character, piece);
    return piece;
  }

  Extra bare(std::string_view piece) const {
    const bool inside = piece.starts_with(vocabulary_.prefix());
    return {inside, inside ? piece.substr(vocabulary_.prefix().size()) : piece};
  }

  // Where longest-match segmentation from ``begin`` stops.
  u32 dead_end(std::string_view word, u32 begin = 0, const Extra* extra = nullptr) const {
    const char *const start = word.data(), *const end = start + word.size(), *p = start + begin;
    while (p < end) {
      const char* longest = p;
      const bool inside = p > start;
      vocabulary_.known().each(inside, p, end, [&](int, const char* to) { longest = to; });
      const auto try_out = [&](bool of_inside, std::string_view text) {
        if (of_inside == inside && static_cast<std::size_t>(end - p) >= text.size() &&
            p + text.size() > longest && std::memcmp(p, text.data(), text.size()) == 0)
          longest = p + text.size();
      };
      for (const auto& [of_inside, text] : added_[bucket(p, end)]) try_out(of_inside, text);
      if (extra) try_out(extra->inside, extra->text);
      if (longest == p) break;
      p = longest;
    }
    return static_cast<u32>(p - start);
  }

  // The bucket of pieces that begin like the text at p.
  static std::size_t bucket(const char* p, const char* end) {
    const auto byte = [](char c) { return static_cast<std::size_t>(static_cast<u8>(c)); };
    return byte(*p) < 0x80 || p + 1 == end ? byte(*p) : (byte(p[0]) * 64 + byte(p[1])) % kBuckets;
  }

  // Calls lacks(form) for each one-character piece that the word lacks; it needs them all.
  template <class F>
  void each_lack(std::string_view word, F lacks) const {
    for (u32 at = 0; (at = dead_end(word, at)) < word.size();) {
      u32 n;
      const u32 c = character(word.data() + at, n);
      lacks(Form{at > 0, c});
      at += n;
    }
  }

  void need(const Word& w, int sign) {
    forms_.clear();
    each_lack(view(w), [&](Form form) {
      const u32 key = form.character | u32{form.inside} << 31;
      if (std::find(forms_.begin(), forms_.end(), key) != forms_.end()) return;
      forms_.push_back(key);
      const auto [place, fresh] = need_of_.try_emplace(key, needs_.size());
      if (fresh) needs_.push_back({form, 0});
      needs_[place->second].count += sign * static_cast<std::int64_t>(w.count);
    });
  }

  const Need& most_needed() const {
    return *std::max_element(needs_.begin(), needs_.end(),
                             [](const Need& a, const Need& b) { return a.count < b.count; });
  }

  // Adds the word's count to the gain of each candidate that makes it known.
  void gain(const Word& w, int sign, std::vector<std::int64_t>& gains) const {
    const std::string_view word = view(w);
    const char* const begin = word.data();
    const u32 last = dead_end(word);
    std::vector<int> seen;
    for (u32 at = 0; at <= last; ++at) {
      if ((static_cast<u8>(word[at]) & 0xc0) == 0x80) continue;
      candidates_->each(at > 0, begin + at, begin + word.size(), [&](int id, const char*) {
        if (gains_[static_cast<std::size_t>(id)] == kGone) return;
        if (std::find(seen.begin(), seen.end(), id) != seen.end()) return;
        seen.push_back(id);
        const Extra extra = bare(names_[static_cast<std::size_t>(id)]);
        if (dead_end(word, 0, &extra) == word.size())
          gains[static_cast<std::size_t>(id)] += sign * static_cast<std::int64_t>(w.count);
      });
    }
  }

  void add(const std::string& piece) {
    const Extra extra = bare(piece);
    std::vector<Word*> held = holders(extra.text);
    for (const Word* w : held) {
      need(*w, -1);
      if (candidates_) gain(*w, -1, gains_);
    }
    kept_.push_back(std::make_unique<std::string>(extra.text));
    const std::string& text = *kept_.back();
    added_[bucket(text.data(), text.data() + text.size())].emplace_back(extra.inside, text);
    for (Word* w : held) {
      if (dead_end(view(*w)) == w->length) {
        w->known = true;
        --left_;
        continue;
      }
      need(*w, +1);
      if (candidates_) gain(*w, +1, gains_);
    }
  }

  // The unknown words that contain ``text``, in order.
  std::vector<Word*> holders(std::string_view text) {
    std::vector<Word*> held;
    const std::string_view all = text_;
    for (std::size_t at = 0; (at = all.find(text, at)) != all.npos;) {
      auto next = std::upper_bound(words_.begin(), words_.end(), at,
                                   [](std::size_t place, const Word& w) { return place < w.at; });
      Word& w = *(next - 1);
      if (!w.known) held.push_back(&w);
      at = w.at + w.length;
    }
    return held;
  }

  const WordPiece& vocabulary_;
  unsigned threads_;
  std::string text_;  // all unknown words, one per line
  std::vector<Word> words_;
  std::size_t left_;  // words still unknown
  std::vector<Need> needs_;
  std::unordered_map<u32, std::size_t> need_of_;
  std::vector<u32> forms_;
  std::vector<std::pair<bool, std::string_view>> added_[kBuckets];  // inside, text
  std::vector<std::unique_ptr<std::string>> kept_;
  std::vector<std::string> names_;  // candidates
  std::optional<Trie> candidates_;
  std::vector<std::int64_t> gains_;
};

}  // namespace specialize
