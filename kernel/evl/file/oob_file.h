// SPDX-License-Identifier: GPL-2.0
// Oob-capable files, and the index that finds them by descriptor without Linux's tables, which are
// not oob-safe.
#ifndef EVL_FILE_OOB_FILE_H
#define EVL_FILE_OOB_FILE_H

#include "base/list.h"
#include "base/lock.h"
#include "base/rb_tree.h"
#include "base/result.h"
#include "kapi/file.h"
#include "sync/crossing.h"

namespace evl {

// Of <asm-generic/fcntl.h>, for kapi_anon_file() and kapi_file_flags().
inline constexpr unsigned kOpenReadWrite = 02;
inline constexpr unsigned kOpenNonblock = 04000;

// What the core knows about an open file; embedded in what the file's object is, or in a driver's.
// OF1  From open() to release() the file's oob data is this.
// OF2  After release() began, no reference is taken: Linux removed the descriptors first, and the
//      crossing refuses.
// OF3  Who sleeps on a channel in a handler of the file is woken when it is closed. One who holds a
//      reference and is not asleep yet looks at closing() first, under the lock of the channel:
//
//          release()                   the other
//          closing_ set                                   lock channel; closing(): no
//          lock channel: waits         linked, asleep; unlock channel
//          flush: finds it
//                                      or: lock channel; closing(): does not sleep
class OobFile final : Immovable {
 public:
  // In an open() handler. Stage: inband.
  explicit OobFile(kapi_file* file) noexcept;

  // First thing in a release() handler of a file that threads sleep on: see OF3. Any stage.
  void begin_release() noexcept { (void)closing_.exchange(true); }
  [[nodiscard]] bool closing() const noexcept { return closing_.load_acquire(); }

  /// In a release() handler, after everything that sleeps on the object was woken (RMID), before
  /// anything is freed. Waits for oob references. Sleeps.
  void release(const InbandStage& inband) noexcept;

  [[nodiscard]] kapi_file* file() const noexcept { return file_; }
  [[nodiscard]] bool try_get() noexcept { return crossing_.enter(); }  // Any stage.
  void put() noexcept { crossing_.leave(); }                           // Any stage.

 private:
  kapi_file* const file_;
  Atomic<bool> closing_{false};
  Crossing crossing_;
};

// (descriptor table, descriptor) -> OobFile. A hash of trees with a lock each: two processes seldom
// meet at one lock, and the worst case stays O(log n).
//
// FT1  An entry exists exactly for the descriptors that Linux reported installed and not yet
//      uninstalled, of files with oob data.
class FileTable final : Immovable {
 public:
  FileTable() noexcept;
  ~FileTable();

  // From upcalls: may not sleep. Entries are Linux's memory, on the account of who opens files, so
  // that nobody can take them from others. Out of memory: logged; the descriptor stays in-band only
  // (EBADF).
  void install(const kapi_files* files, unsigned fd, OobFile& file,
               const InbandStage& inband) noexcept;
  void uninstall(const kapi_files* files, unsigned fd, const InbandStage& inband) noexcept;

  /// The file with a reference, or nullptr. Any stage. O(log n) under one hard lock.
  [[nodiscard]] OobFile* get(const kapi_files* files, unsigned fd) noexcept;
  // Of the calling task.
  [[nodiscard]] OobFile* get(unsigned fd) noexcept { return get(kapi_current_files(), fd); }

 private:
  struct Entry;
  struct Bucket {
    HardSpinLock<LockRank::file_table> lock;
    RbTree entries EVL_GUARDED_BY(lock);
  };
  static constexpr unsigned kBuckets = 64;
  [[nodiscard]] Bucket& bucket(const kapi_files* files, unsigned fd) noexcept;
  [[nodiscard]] static Entry* find(Bucket& bucket, const kapi_files* files, unsigned fd) noexcept
      EVL_REQUIRES(bucket.lock);

  std::array<Bucket, kBuckets> buckets_;
};

// A reference that gives itself back.
class [[nodiscard]] FileRef final {
 public:
  explicit FileRef(OobFile* file) noexcept : file_{file} {}  // Takes over; may be nullptr.
  FileRef(FileRef&& other) noexcept : file_{std::exchange(other.file_, nullptr)} {}
  FileRef& operator=(FileRef&&) = delete;
  ~FileRef() {
    if (file_ != nullptr) file_->put();
  }
  [[nodiscard]] explicit operator bool() const noexcept { return file_ != nullptr; }
  [[nodiscard]] kapi_file* file() const noexcept { return file_->file(); }
  [[nodiscard]] OobFile* get() const noexcept { return file_; }
  // The object behind the descriptor if it is of this type, else nullptr.
  template <typename T>
  [[nodiscard]] T* object(const kapi_file_ops& ops) const noexcept {
    return static_cast<T*>(kapi_file_object(file_->file(), &ops));
  }

 private:
  OobFile* file_;
};

}  // namespace evl

#endif  // EVL_FILE_OOB_FILE_H
