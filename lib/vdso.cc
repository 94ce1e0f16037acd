// SPDX-License-Identifier: MIT
// A reader of one symbol of an ELF image. See vdso.h.

#include "vdso.h"

#include <elf.h>
#include <link.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

namespace evl {
namespace {

#ifdef __aarch64__
constexpr std::string_view kClockSymbol = "__kernel_clock_gettime";
#else
constexpr std::string_view kClockSymbol = "__vdso_clock_gettime";
#endif

using Header = ElfW(Ehdr);
using Segment = ElfW(Phdr);
using Entry = ElfW(Dyn);
using Symbol = ElfW(Sym);

// An image, read by copies: nothing in it needs to be aligned.
class Image {
 public:
  explicit Image(std::span<const std::byte> bytes) noexcept : bytes_{bytes} {}

  template <typename T>
  [[nodiscard]] bool get(size_t offset, T* value) const noexcept {
    if (bytes_.size() < sizeof(T) || offset > bytes_.size() - sizeof(T)) return false;
    memcpy(value, bytes_.data() + offset, sizeof(T));
    return true;
  }

  // Does the zero-terminated string at offset equal text?
  [[nodiscard]] bool holds(size_t offset, std::string_view text) const noexcept {
    if (offset >= bytes_.size() || bytes_.size() - offset <= text.size()) return false;
    if (memcmp(bytes_.data() + offset, text.data(), text.size()) != 0) return false;
    return bytes_[offset + text.size()] == std::byte{0};
  }

  [[nodiscard]] const std::byte* at(size_t offset) const noexcept {
    return offset < bytes_.size() ? bytes_.data() + offset : nullptr;
  }

  [[nodiscard]] size_t size() const noexcept { return bytes_.size(); }

 private:
  std::span<const std::byte> bytes_;
};

struct Dynamic {
  size_t load_address;  // The address which the image was linked for.
  size_t strings;
  size_t symbols;
  size_t hash;      // 0: none. Offset 0 is the ELF header, never a table.
  size_t gnu_hash;  // 0: none.
};

bool read_dynamic(const Image& image, Dynamic* found) noexcept {
  Header header;
  if (!image.get(0, &header) || memcmp(header.e_ident, ELFMAG, SELFMAG) != 0) return false;
  if (header.e_ident[EI_CLASS] != (sizeof(void*) == 8 ? ELFCLASS64 : ELFCLASS32)) return false;

  size_t dynamic = 0;
  size_t dynamic_size = 0;
  bool loaded = false;
  for (size_t n = 0; n < header.e_phnum; ++n) {  // At most 65535.
    Segment segment;
    if (!image.get(header.e_phoff + n * sizeof(Segment), &segment)) return false;
    if (segment.p_type == PT_LOAD && !loaded) {
      found->load_address = segment.p_vaddr - segment.p_offset;
      loaded = true;
    } else if (segment.p_type == PT_DYNAMIC) {
      dynamic = segment.p_offset;
      dynamic_size = segment.p_filesz;
    }
  }
  if (!loaded || dynamic == 0) return false;

  for (size_t n = 0; n < dynamic_size / sizeof(Entry); ++n) {
    Entry entry;
    if (!image.get(dynamic + n * sizeof(Entry), &entry)) return false;
    if (entry.d_tag == DT_NULL) break;
    const size_t offset = entry.d_un.d_ptr - found->load_address;
    if (entry.d_tag == DT_STRTAB) found->strings = offset;
    if (entry.d_tag == DT_SYMTAB) found->symbols = offset;
    if (entry.d_tag == DT_HASH) found->hash = offset;
    if (entry.d_tag == DT_GNU_HASH) found->gnu_hash = offset;
  }
  return found->strings != 0 && found->symbols != 0;
}

// A symbol table does not tell its length: the hash tables do.
size_t count_symbols(const Image& image, const Dynamic& dynamic) noexcept {
  const size_t limit = image.size() / sizeof(Symbol);
  ElfW(Word) counts[4];
  if (dynamic.hash != 0 && image.get(dynamic.hash, &counts)) {
    return counts[1] < limit ? counts[1] : limit;
  }
  if (dynamic.gnu_hash == 0 || !image.get(dynamic.gnu_hash, &counts)) return 0;

  // { buckets, first symbol, bloom words, shift }, bloom filter, buckets, chains. The last chain
  // starts at the highest bucket, and ends with a value whose lowest bit is set.
  const size_t buckets = dynamic.gnu_hash + sizeof(counts) + counts[2] * sizeof(ElfW(Addr));
  size_t last = 0;
  for (size_t n = 0; n < counts[0]; ++n) {
    ElfW(Word) bucket;
    if (!image.get(buckets + n * sizeof(bucket), &bucket)) return 0;
    if (bucket > last) last = bucket;
  }
  if (last < counts[1]) return 0;
  const size_t chains = buckets + counts[0] * sizeof(ElfW(Word));
  for (; last < limit; ++last) {
    ElfW(Word) value;
    if (!image.get(chains + (last - counts[1]) * sizeof(value), &value)) return 0;
    if ((value & 1) != 0) return last + 1;
  }
  return 0;
}

}  // namespace

const void* find_symbol(std::span<const std::byte> bytes, std::string_view name) noexcept {
  const Image image{bytes};
  Dynamic dynamic{};
  if (!read_dynamic(image, &dynamic)) return nullptr;
  const size_t count = count_symbols(image, dynamic);
  for (size_t n = 0; n < count; ++n) {  // Bounded by the size of the image.
    Symbol symbol;
    if (!image.get(dynamic.symbols + n * sizeof(Symbol), &symbol)) return nullptr;
    if (symbol.st_shndx == SHN_UNDEF || (symbol.st_info & 0xf) != STT_FUNC) continue;
    if (!image.holds(dynamic.strings + symbol.st_name, name)) continue;
    return image.at(symbol.st_value - dynamic.load_address);
  }
  return nullptr;
}

ReadClock find_vdso_clock() noexcept {
  const auto start = reinterpret_cast<const std::byte*>(getauxval(AT_SYSINFO_EHDR));
  if (start == nullptr) return nullptr;

  // The first page is there, and holds the program headers, which tell the size of the rest.
  const Image first_page{{start, static_cast<size_t>(sysconf(_SC_PAGESIZE))}};
  Header header;
  if (!first_page.get(0, &header)) return nullptr;
  for (size_t n = 0; n < header.e_phnum; ++n) {
    Segment segment;
    if (!first_page.get(header.e_phoff + n * sizeof(Segment), &segment)) return nullptr;
    if (segment.p_type != PT_LOAD) continue;
    const void* const symbol =
        find_symbol({start, segment.p_offset + segment.p_filesz}, kClockSymbol);
    // An object pointer becomes a function pointer, as with dlsym().
    ReadClock function = nullptr;
    static_assert(sizeof(function) == sizeof(symbol));
    memcpy(&function, &symbol, sizeof(function));
    return function;
  }
  return nullptr;
}

}  // namespace evl
