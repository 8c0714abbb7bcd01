// Arguments that would otherwise be used out of bounds.
#pragma once

#include <stdexcept>
#include <vector>

namespace specialize {

inline void require(bool condition, const char* message) {
  if (!condition) throw std::invalid_argument(message);
}

// Every id is an index below ``size``.
inline void require_ids(const std::vector<int>& ids, std::size_t size) {
  for (int id : ids)
    require(id >= 0 && static_cast<std::size_t>(id) < size, "an id is out of range");
}

}  // namespace specialize
