// SPDX-License-Identifier: MIT

#include "hectic/pattern.h"

#include "common/text.h"

namespace utils::hectic {

std::string describe_corruption(const std::vector<std::string>& names, uint32_t from, uint32_t to,
                                uint32_t found, const char* where) {
  const auto name = [&](uint32_t index) {
    return index < names.size() ? names[index].c_str() : "nobody";
  };
  const FpuWriter writer = FpuWriter::of(found);
  return format(
      "%s trashed in the switch from %u (%s) to %u (%s): it holds %u, written by %u (%s%s)", where,
      from, name(from), to, name(to), found, writer.index, name(writer.index),
      writer.kernel ? ", in the kernel" : "");
}

}  // namespace utils::hectic
