// SPDX-License-Identifier: MIT
// libFuzzer target: whatever the bytes, the ELF reader stays within them.
//
// Bytes alone hardly ever get past the first checks, so most inputs are damage to the image which
// this machine has: its length in pages' parts, then patches of { offset, value }.

#include <elf.h>
#include <link.h>
#include <string.h>
#include <sys/auxv.h>

#include <cstdint>
#include <vector>

#include "vdso.h"

namespace {

constexpr size_t kImage = 4096;  // The first page, which is mapped for sure.

void search(const std::vector<std::byte>& image) {
  (void)evl::find_symbol({image.data(), image.size()}, "__vdso_clock_gettime");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto bytes = reinterpret_cast<const std::byte*>(data);
  const auto vdso = reinterpret_cast<const std::byte*>(getauxval(AT_SYSINFO_EHDR));
  if (size < 3 || vdso == nullptr || (data[0] & 7) == 0) {
    search({bytes, bytes + size});
    return 0;
  }
  std::vector<std::byte> image{vdso, vdso + kImage};
  for (size_t n = 3; n + 2 < size; n += 3) {
    image[(data[n] | data[n + 1] << 8) % kImage] = bytes[n + 2];
  }
  image.resize(kImage - (data[1] | data[2] << 8) % kImage);
  image.shrink_to_fit();  // So that the sanitizer sees the end.
  search(image);
  return 0;
}
