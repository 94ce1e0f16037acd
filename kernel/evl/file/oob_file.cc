// SPDX-License-Identifier: GPL-2.0
// Oob files and the index of descriptors. install() and uninstall() come from upcalls, under the
// lock of Linux's table; get() on either stage.
#include "file/oob_file.h"

#include "base/in_place.h"

namespace evl {

OobFile::OobFile(kapi_file* file) noexcept : file_{file} {
  kapi_set_oob_data(file, this);
}

void OobFile::release(const InbandStage& inband) noexcept {
  crossing_.pass(inband);
}

struct FileTable::Entry final : Immovable {
  Entry(const kapi_files* table, unsigned number, OobFile& of) noexcept
      : files{table}, fd{number}, file{&of} {}
  RbHook hook;
  const kapi_files* const files;
  const unsigned fd;
  OobFile* file;

  // Order in a bucket: below, equal or above (files, fd).
  [[nodiscard]] static int compare(RbHook& node, const kapi_files* files, unsigned fd) noexcept {
    const Entry& entry = owner_of<Entry, &Entry::hook>(node);
    if (entry.files != files) return entry.files < files ? -1 : 1;
    if (entry.fd != fd) return entry.fd < fd ? -1 : 1;
    return 0;
  }
};

FileTable::FileTable() noexcept = default;
FileTable::~FileTable() = default;

FileTable::Bucket& FileTable::bucket(const kapi_files* files, unsigned fd) noexcept {
  // Tables are cache lines apart, descriptors small: the multiplication spreads both.
  const u64 key = (reinterpret_cast<u64>(files) >> 6) + fd;
  return buckets_[(key * 0x9e3779b97f4a7c15ULL) >> 58];
  static_assert(kBuckets == 64);
}

FileTable::Entry* FileTable::find(Bucket& bucket, const kapi_files* files, unsigned fd) noexcept {
  RbHook* node = bucket.entries.root();
  LoopBound bound{RbTree::kMaxLevels};
  while (node != nullptr) {
    bound.step();
    const int order = Entry::compare(*node, files, fd);
    if (order == 0) return &owner_of<Entry, &Entry::hook>(*node);
    node = order > 0 ? RbTree::left(*node) : RbTree::right(*node);
  }
  return nullptr;
}

void FileTable::install(const kapi_files* files, unsigned fd, OobFile& file,
                        const InbandStage& inband) noexcept {
  Entry* fresh = create_nowait<Entry>(inband, files, fd, file);
  Bucket& bucket = this->bucket(files, fd);
  {
    HardIrqGuard irqs_off;
    HardLockGuard guard{bucket.lock, irqs_off};
    if (Entry* const present = find(bucket, files, fd); present != nullptr) {
      present->file = &file;  // dup2(): the descriptor means another file from here on.
    } else if (fresh != nullptr) {
      bucket.entries.insert(fresh->hook,
                            [&](RbHook& other) { return Entry::compare(other, files, fd) > 0; });
      fresh = nullptr;
      return;
    }
  }
  if (fresh == nullptr)
    kapi_print_ratelimited(KAPI_WARNING, "out of memory: descriptor %u is in-band only", fd);
  discard(inband, fresh);
}

void FileTable::uninstall(const kapi_files* files, unsigned fd,
                          const InbandStage& inband) noexcept {
  Bucket& bucket = this->bucket(files, fd);
  Entry* found = nullptr;
  {
    HardIrqGuard irqs_off;
    HardLockGuard guard{bucket.lock, irqs_off};
    found = find(bucket, files, fd);
    if (found != nullptr) bucket.entries.remove(found->hook);
  }
  discard(inband, found);
}

OobFile* FileTable::get(const kapi_files* files, unsigned fd) noexcept {
  Bucket& bucket = this->bucket(files, fd);
  HardIrqGuard irqs_off;
  HardLockGuard guard{bucket.lock, irqs_off};
  Entry* const found = find(bucket, files, fd);
  return found != nullptr && found->file->try_get() ? found->file : nullptr;
}

}  // namespace evl
