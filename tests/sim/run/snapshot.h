// SPDX-License-Identifier: MIT
//
// Snapshot: the core's global variables, put back before each run. The core is built for one boot
// and has no way back; on the host it is a shared library, so its writable segment is known to the
// loader.

#pragma once

#include <cstddef>
#include <vector>

namespace sim {

class Snapshot final {
 public:
  /// Finds the library by a part of its file name and keeps what its variables are now.
  explicit Snapshot(const char* library);
  void restore() const noexcept;
  std::size_t bytes() const noexcept { return saved_.size(); }

 private:
  char* begin_{nullptr};
  std::vector<char> saved_;
};

}  // namespace sim
