// SPDX-License-Identifier: MIT
#include "vdso.h"

#include <elf.h>
#include <gtest/gtest.h>
#include <link.h>
#include <string.h>
#include <sys/auxv.h>

#include <random>
#include <vector>

namespace {

using evl::find_symbol;

enum class Hash { sysv, gnu };

// A small image with two functions, "first" at 0x10 and "second" at 0x20, as a linker would lay it
// out.
class Image {
 public:
  explicit Image(Hash hash) {
    ElfW(Ehdr) header{};
    memcpy(header.e_ident, ELFMAG, SELFMAG);
    header.e_ident[EI_CLASS] = ELFCLASS64;
    header.e_phoff = 0x40;
    header.e_phnum = 2;
    put(0, header);
    ElfW(Phdr) load{};
    load.p_type = PT_LOAD;
    load.p_vaddr = kLoad;
    load.p_filesz = kSize;
    put(0x40, load);
    ElfW(Phdr) dynamic{};
    dynamic.p_type = PT_DYNAMIC;
    dynamic.p_offset = 0x100;
    dynamic.p_filesz = 5 * sizeof(ElfW(Dyn));
    put(0x40 + sizeof(load), dynamic);
    put_dynamic(0, DT_STRTAB, kStrings);
    put_dynamic(1, DT_SYMTAB, kSymbols);
    put_dynamic(2, hash == Hash::sysv ? DT_HASH : DT_GNU_HASH, kHash);
    put_dynamic(3, DT_NULL, 0);
    memcpy(bytes_.data() + kStrings, "\0first\0second\0only_used", 24);
    put_symbol(1, 1, 0x10, 1);
    put_symbol(2, 7, 0x20, 1);
    put_symbol(3, 14, 0x30, SHN_UNDEF);
    if (hash == Hash::sysv) {
      const ElfW(Word) table[]{1, 4, 1, 0, 2, 3, 0};  // Buckets, chains; one bucket, four chains.
      memcpy(bytes_.data() + kHash, table, sizeof(table));
    } else {
      // Buckets, first symbol, bloom words, shift; bloom; bucket; chain of symbols 1 to 3.
      const ElfW(Word) table[]{1, 1, 1, 0, ~0u, ~0u, 1, 2, 4, 7};
      memcpy(bytes_.data() + kHash, table, sizeof(table));
    }
  }

  [[nodiscard]] std::span<const std::byte> bytes() const { return bytes_; }
  [[nodiscard]] std::vector<std::byte>& writable() { return bytes_; }

  [[nodiscard]] long offset_of(std::string_view name) const {
    const auto found = static_cast<const std::byte*>(find_symbol(bytes_, name));
    return found == nullptr ? -1 : found - bytes_.data();
  }

 private:
  static constexpr size_t kLoad = 0x10000;
  static constexpr size_t kSize = 0x300;
  static constexpr size_t kStrings = 0x180;
  static constexpr size_t kSymbols = 0x1a0;
  static constexpr size_t kHash = 0x240;

  template <typename T>
  void put(size_t offset, const T& value) {
    memcpy(bytes_.data() + offset, &value, sizeof(value));
  }
  void put_dynamic(size_t index, long tag, size_t offset) {
    put(0x100 + index * sizeof(ElfW(Dyn)), ElfW(Dyn){.d_tag = tag, .d_un = {kLoad + offset}});
  }
  void put_symbol(size_t index, unsigned int name, size_t offset, unsigned short section) {
    ElfW(Sym) symbol{};
    symbol.st_name = name;
    symbol.st_info = STT_FUNC;
    symbol.st_shndx = section;
    symbol.st_value = kLoad + offset;
    put(kSymbols + index * sizeof(symbol), symbol);
  }

  std::vector<std::byte> bytes_ = std::vector<std::byte>(kSize);
};

class FormatTest : public ::testing::TestWithParam<Hash> {};
INSTANTIATE_TEST_SUITE_P(BothHashes, FormatTest, ::testing::Values(Hash::sysv, Hash::gnu));

TEST_P(FormatTest, DefinedFunctionsAreFoundByTheirWholeName) {
  const Image image{GetParam()};
  EXPECT_EQ(image.offset_of("first"), 0x10);
  EXPECT_EQ(image.offset_of("second"), 0x20);
  EXPECT_EQ(image.offset_of("only_used"), -1) << "not defined here";
  EXPECT_EQ(image.offset_of("firs"), -1);
  EXPECT_EQ(image.offset_of("first1"), -1);
}

// The sanitizer is the judge: nothing outside of the bytes is read.
TEST_P(FormatTest, DamagedImagesAreReadWithinTheirBounds) {
  std::mt19937 random{7};
  for (int round = 0; round < 20'000; ++round) {
    Image image{GetParam()};
    auto& bytes = image.writable();
    for (unsigned int n = random() % 4; n < 4; ++n) {
      bytes[random() % bytes.size()] = static_cast<std::byte>(random());
    }
    bytes.resize(random() % bytes.size());
    bytes.shrink_to_fit();
    (void)image.offset_of("second");
  }
}

TEST(Vdso, ThisMachinesClockIsTheClockOfTheCLibrary) {
  const evl::ReadClock read = evl::find_vdso_clock();
  if (getauxval(AT_SYSINFO_EHDR) == 0) GTEST_SKIP() << "no vDSO";
  ASSERT_NE(read, nullptr);
  timespec before{};
  timespec now{};
  timespec after{};
  ASSERT_EQ(clock_gettime(CLOCK_MONOTONIC, &before), 0);
  ASSERT_EQ(read(CLOCK_MONOTONIC, &now), 0);
  ASSERT_EQ(clock_gettime(CLOCK_MONOTONIC, &after), 0);
  const auto ns = [](const timespec& time) { return time.tv_sec * 1'000'000'000 + time.tv_nsec; };
  EXPECT_LE(ns(before), ns(now));
  EXPECT_LE(ns(now), ns(after));
}

}  // namespace
