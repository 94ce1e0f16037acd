// SPDX-License-Identifier: MIT
//
// Arena: the memory of the simulated kernel. The same requests get the same addresses in every run,
// because the core orders locks by address: with the host's heap a seed would not replay. Blocks
// are not reused within a run, so with AddressSanitizer every use after free is found, as is every
// access beyond a block.

#pragma once

#include <cstddef>
#include <vector>

namespace sim {

class Arena final {
 public:
  Arena();
  ~Arena();
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  /// Zeroed; null when the arena is used up. O(bytes).
  void* allocate(std::size_t bytes);
  /// False when `block` is not one that is in use.
  bool release(void* block);
  std::size_t used_blocks() const noexcept { return used_; }
  bool contains(const void* address) const noexcept;

  static constexpr std::size_t kBytes = std::size_t{8} << 20U;

 private:
  struct Block {
    std::size_t offset;
    std::size_t bytes;
    bool used;
  };

  std::vector<Block> blocks_;  // By ascending offset.
  std::size_t next_{0};
  std::size_t used_{0};
};

}  // namespace sim
