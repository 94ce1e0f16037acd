// SPDX-License-Identifier: GPL-2.0
// Factory: a class of elements: its clone device, names, minors, handles. In-band, but for look-ups
// by handle. The classes themselves are constexpr descriptors beside each element.
#ifndef EVL_ELEMENT_FACTORY_H
#define EVL_ELEMENT_FACTORY_H

#include "base/id_map.h"
#include "base/in_place.h"
#include "base/lock.h"
#include "base/result.h"
#include "base/user_ptr.h"
#include "element/element.h"

namespace evl {

// What a class brings. Static storage.
struct ElementClass {
  enum class Shape : u8 {
    clonable,  // Has /dev/evl/<name>/clone.
    single,    // Is one device, /dev/evl/<name>; no elements.
    internal,  // Elements are made by the core only (clock).
  };
  const char* name;
  Shape shape;
  bool has_fundles;
  u32 clone_flags;  // Accepted on top of EVL_CLONE_PUBLIC and NONBLOCK; others: EINVAL.

  /// Makes an element; `attrs` is of the class, null when the caller gave none. Sleeps. What it
  /// returns holds one reference; `state_offset` is set when it shares state.
  Result<Element*> (*build)(Factory& factory, UserBytes attrs, u32 clone_flags, u32& state_offset,
                            const InbandStage& inband) noexcept;
  /// Takes it down: no reference is left, no sysfs call runs, its handle is withdrawn. Sleeps.
  void (*dispose)(Element& element, const InbandStage& inband) noexcept;

  const kapi_file_ops* ops;          // Of the element's files.
  const kapi_attribute* attributes;  // nullptr: none.

  /// nullptr, or the last step of a clone that can fail: the element has its name and device, its
  /// descriptor is not installed yet. Of threads: attaches the caller. Sleeps.
  Status (*commit)(Element& element, const InbandStage& inband) noexcept = nullptr;
  /// nullptr, or a request on the clone file that has made the element, by who cannot open its
  /// node: such an element would outlive its last file. Of threads: EVL_THRIOC_DETACH_SELF. Sleeps.
  Status (*undo)(Element& element, unsigned cmd, const InbandStage& inband) noexcept = nullptr;
};

// Elements by handle. 30 bits, from a counter that wraps and skips 0 and what is in use.
class ElementIndex final : Immovable {
 public:
  void publish(Element& element) noexcept;   // Gives it a handle. O(log n).
  void withdraw(Element& element) noexcept;  // Idempotent. O(log n).
  // With a reference, or null: not found, or dying. Any stage. O(log n).
  [[nodiscard]] Element* find(fundle_t fundle) noexcept;

 private:
  [[nodiscard]] Element* lookup(fundle_t fundle) noexcept EVL_REQUIRES(lock_);

  HardSpinLock<LockRank::fundle> lock_;
  RbTree tree_ EVL_GUARDED_BY(lock_);
  u32 next_ EVL_GUARDED_BY(lock_){1};
};

// Invariants, whenever mutex_ is free:
//   F1  minors_ has exactly the minors of the elements between create() and the end of dispose.
//   F2  names_[hash(name)] lists each of these elements once; no two have one name.
class Factory final : Immovable {
 public:
  // `max` elements at a time.
  Factory(const ElementClass& element_class, unsigned max) noexcept;
  ~Factory();

  // Device class, clone or single device. `singles`: whose class "evl" a single device joins; the
  // first one makes it, and is closed last. Sleeps. Errors: of kapi_class_create().
  [[nodiscard]] Status open(const InbandStage& inband, Factory* singles = nullptr) noexcept;
  void close(const InbandStage& inband) noexcept;  // No element is left.

  /// EVL_IOC_CLONE on one open file of the clone device. All or nothing. Sleeps.
  /// Errors: ENXIO core not running; EBUSY this file has cloned before; EFAULT; EINVAL public
  /// without a name, unknown flags, "/" in a public name, nothing but dots; ENAMETOOLONG; EAGAIN no
  /// minor; EEXIST name; ENOMEM, EMFILE; and those of the class.
  struct CloneFile;
  [[nodiscard]] Status clone(CloneFile& file, UserPtr<evl_clone_req> request,
                             const InbandStage& inband) noexcept;

  // Another request than EVL_IOC_CLONE on the clone device's file. ENOTTY; those of the class.
  [[nodiscard]] Status pass_on(CloneFile& file, unsigned cmd, const InbandStage& inband) noexcept;

  /// Names the element (nullptr: "<class>%<minor>"), takes its minor, makes its device. By clone()
  /// and for elements of the core. Errors: EEXIST, EAGAIN, ENOMEM.
  [[nodiscard]] Status create_device(Element& element, const char* name,
                                     const InbandStage& inband) noexcept;

  [[nodiscard]] const ElementClass& element_class() const noexcept { return class_; }
  [[nodiscard]] ElementIndex& index() noexcept { return index_; }
  // Elements now; 0 when nothing leaked.
  [[nodiscard]] unsigned alive(const InbandStage& inband) noexcept;
  // CAP_SYS_ADMIN, or owner of the clone device: what guards wchan and the like.
  [[nodiscard]] bool may_access(const InbandStage& inband) const noexcept;

 private:
  friend class Element;
  [[nodiscard]] Status make_clone(CloneFile& file, UserPtr<evl_clone_req> request,
                                  const InbandStage& inband) noexcept;
  // Minor and name. EAGAIN, EEXIST.
  [[nodiscard]] Status take_name(Element& element, const char* name,
                                 const InbandStage& inband) noexcept;
  void dispose(Element& element, const InbandStage& inband) noexcept;

  static constexpr unsigned kNameBuckets = 256;
  using NameList = List<Element, &Element::name_hook_>;

  [[nodiscard]] NameList& bucket_of(const char* name) noexcept EVL_REQUIRES(mutex_);

  InbandMutex mutex_;
  std::array<NameList, kNameBuckets> names_ EVL_GUARDED_BY(mutex_);
  u64* minor_words_{nullptr};
  InPlace<IdMap> minors_;  // Under mutex_, but for open() and close().
  const unsigned max_;
  unsigned singles_{0};  // Devices in the class "evl" that this one made. At boot only.
  ElementIndex index_;
  kapi_class* device_class_{nullptr};
  kapi_device* clone_device_{nullptr};
  const ElementClass& class_;
};

}  // namespace evl

#endif  // EVL_ELEMENT_FACTORY_H
