// The same algorithms as PyTorch operators, through torch's stable ABI: one binary for 2.10 and
// later.
//
// Texts are uint8 tensors of UTF-8; vocabularies are uint8 tensors of pieces, one per line; rules
// are int64 tensors [R, 3] of (first character, last character, rule).
#include <torch/csrc/stable/library.h>
#include <torch/csrc/stable/ops.h>
#include <torch/csrc/stable/tensor.h>

#include <tuple>

#include "specialize/audit.hpp"
#include "specialize/mst.hpp"
#include "specialize/replacements.hpp"
#include "specialize/text.hpp"
#include "specialize/wordpiece.hpp"

using namespace specialize;
using torch::stable::Tensor;

namespace {

std::string_view bytes_of(const Tensor& tensor) {
  STD_TORCH_CHECK(tensor.scalar_type() == torch::headeronly::ScalarType::Byte &&
                      tensor.is_contiguous() && tensor.is_cpu(),
                  "expected a contiguous uint8 tensor on the CPU");
  return {static_cast<const char*>(tensor.const_data_ptr()),
          static_cast<std::size_t>(tensor.numel())};
}

std::vector<std::int64_t> numbers_of(const Tensor& tensor) {
  STD_TORCH_CHECK(tensor.scalar_type() == torch::headeronly::ScalarType::Long &&
                      tensor.is_contiguous() && tensor.is_cpu(),
                  "expected a contiguous int64 tensor on the CPU");
  const auto* p = static_cast<const std::int64_t*>(tensor.const_data_ptr());
  return {p, p + tensor.numel()};
}

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

Rules rules_of(const Tensor& table) {
  Rules rules;
  const auto n = numbers_of(table);
  for (std::size_t i = 0; i + 2 < n.size(); i += 3)
    rules.set(static_cast<u32>(n[i]), static_cast<u32>(n[i + 1]), static_cast<Rule>(n[i + 2]));
  return rules;
}

WordPiece vocabulary_of(const Tensor& pieces, const Tensor& special, const std::string& prefix,
                        std::int64_t unk, std::int64_t max_chars) {
  if (!valid(bytes_of(pieces))) throw std::invalid_argument("expected pieces in UTF-8");
  std::vector<int> ids;
  for (auto id : numbers_of(special)) ids.push_back(static_cast<int>(id));
  return {lines_of(bytes_of(pieces)), prefix, static_cast<int>(unk),
          static_cast<u32>(max_chars), ids};
}

Tensor counts_like(const Tensor& int64, const std::vector<u64>& counts) {
  Tensor result = torch::stable::new_empty(int64, {static_cast<std::int64_t>(counts.size())});
  auto* to = static_cast<std::int64_t*>(result.mutable_data_ptr());
  for (u64 count : counts) *to++ = static_cast<std::int64_t>(count);
  return result;
}

Text read(const Tensor& text, unsigned threads) {
  Text result;
  const std::string_view bytes = bytes_of(text);
  result.feed(bytes.data(), bytes.size(), true, threads);
  return result;
}

// No exception may leave an operator: before torch 2.13 it kills the process. Errors return empty
// tensors; specialize.operators checks its arguments, so the only remaining errors are text that is
// not UTF-8 and scores that are nan.
Tensor nothing(const Tensor& like) { return torch::stable::new_empty(like, {0}); }

// -> words, pieces, unknown, continued, characters, bytes
Tensor audited(Tensor text, Tensor pieces, Tensor special, Tensor rules, std::string prefix,
               std::int64_t unk, std::int64_t max_chars, std::int64_t threads) {
  const WordPiece vocabulary = vocabulary_of(pieces, special, prefix, unk, max_chars);
  const auto workers = static_cast<unsigned>(threads);
  Text seen = read(text, workers);
  TokenAudit found = audit_tokens(seen.sound(workers), rules_of(rules), vocabulary, workers);
  Audit& sum = found.words;
  for (const auto& [id, written] : found.specials) {
    sum.words += written.count;
    sum.pieces += written.count;
    sum.unknown += id == vocabulary.unk() ? written.count : 0;
  }
  return counts_like(rules, {sum.words, sum.pieces, sum.unknown, sum.continued,
                             seen.extent.characters, seen.extent.bytes});
}

// -> [V], [V]: occurrences of new pieces where they replace unknowns, and overall
std::tuple<Tensor, Tensor> counted(Tensor text, Tensor old_pieces, Tensor new_pieces,
                                   Tensor old_special, Tensor new_special, Tensor rules,
                                   std::string prefix, std::int64_t old_unk, std::int64_t new_unk,
                                   std::int64_t max_chars, std::int64_t threads) {
  const WordPiece before = vocabulary_of(old_pieces, old_special, prefix, old_unk, max_chars);
  const WordPiece after = vocabulary_of(new_pieces, new_special, prefix, new_unk, max_chars);
  const auto workers = static_cast<unsigned>(threads);
  Text seen = read(text, workers);
  const Rules by = rules_of(rules);
  const Replacements sums =
      replacements(seen.sound(workers), before, after, &by, Unit::word, true, workers);
  const auto counts = [&](const std::vector<Seen>& of) {
    std::vector<u64> plain;
    for (const Seen& seen_piece : of) plain.push_back(seen_piece.count);
    return counts_like(rules, plain);
  };
  return {counts(sums.replaced), counts(sums.overall)};
}

// scores [B, n + 1, n + 1], words of each sentence [B] -> heads [B, n], 0 beyond the sentence
Tensor decoded(Tensor scores, Tensor lengths) {
  const auto sentences = numbers_of(lengths);
  const bool square = scores.dim() == 3 && scores.size(1) == scores.size(2) && scores.size(1) > 0;
  require(scores.scalar_type() == torch::headeronly::ScalarType::Double &&
              scores.is_contiguous() && scores.is_cpu() && square &&
              scores.size(0) == lengths.numel(),
          "expected float64 scores [B, n + 1, n + 1] of B sentences");
  const std::int64_t words = scores.size(1) - 1;
  const auto size = static_cast<std::size_t>(scores.size(1));
  Tensor result = torch::stable::new_empty(lengths, {lengths.numel(), words});
  auto* to = static_cast<std::int64_t*>(result.mutable_data_ptr());
  const auto* from = static_cast<const double*>(scores.const_data_ptr());
  TreeDecoder decoder;
  for (const std::int64_t length : sentences) {
    require(length >= 0 && length <= words, "a sentence is too long");
    const auto& heads = decoder.heads({from, size, static_cast<std::size_t>(length) + 1});
    std::fill(std::copy(heads.begin(), heads.end(), to), to + words, 0);
    from += size * size;
    to += words;
  }
  return result;
}

Tensor audit_text(Tensor text, Tensor pieces, Tensor special, Tensor rules, std::string prefix,
                  std::int64_t unk, std::int64_t max_chars, std::int64_t threads) try {
  return audited(text, pieces, special, rules, prefix, unk, max_chars, threads);
} catch (const std::exception&) {
  return nothing(text);
}

std::tuple<Tensor, Tensor> count_replacements(Tensor text, Tensor old_pieces, Tensor new_pieces,
                                              Tensor old_special, Tensor new_special, Tensor rules,
                                              std::string prefix, std::int64_t old_unk,
                                              std::int64_t new_unk, std::int64_t max_chars,
                                              std::int64_t threads) try {
  return counted(text, old_pieces, new_pieces, old_special, new_special, rules, prefix, old_unk,
                 new_unk, max_chars, threads);
} catch (const std::exception&) {
  return {nothing(text), nothing(text)};
}

Tensor single_root_trees(Tensor scores, Tensor lengths) try {
  return decoded(scores, lengths);
} catch (const std::exception&) {
  return nothing(lengths);
}

}  // namespace

STABLE_TORCH_LIBRARY(specialize, m) {
  m.def("audit(Tensor text, Tensor pieces, Tensor special, Tensor rules, str prefix, int unk, "
        "int max_chars, int threads) -> Tensor");
  m.def("count_replacements(Tensor text, Tensor old_pieces, Tensor new_pieces, "
        "Tensor old_special, Tensor new_special, Tensor rules, str prefix, int old_unk, "
        "int new_unk, int max_chars, int threads) -> (Tensor, Tensor)");
  m.def("single_root_trees(Tensor scores, Tensor lengths) -> Tensor");
}

STABLE_TORCH_LIBRARY_IMPL(specialize, CPU, m) {
  m.impl("audit", TORCH_BOX(&audit_text));
  m.impl("count_replacements", TORCH_BOX(&count_replacements));
  m.impl("single_root_trees", TORCH_BOX(&single_root_trees));
}
