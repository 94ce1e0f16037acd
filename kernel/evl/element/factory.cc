// SPDX-License-Identifier: GPL-2.0
// Factories: their devices, the names and minors of their elements, and the end of an element.
#include "element/factory.h"

#include "base/in_place.h"
#include "element/clone_file.h"

namespace evl {
namespace {

// Devices that share the class "evl": control, trace, and what comes.
constexpr unsigned kMaxSingles = 8;

constexpr const char* kCloneName = "clone";

u32 hash_of(const char* name) noexcept {
  u32 hash = 2166136261U;  // Fowler, Noll, Vo: FNV-1a.
  for (; *name != '\0'; ++name) hash = (hash ^ static_cast<u8>(*name)) * 16777619U;
  return hash;
}

bool same_text(const char* a, const char* b) noexcept {
  while (*a != '\0' && *a == *b) ++a, ++b;
  return *a == *b;
}

}  // namespace

Factory::Factory(const ElementClass& element_class, unsigned max) noexcept
    : max_{max}, class_{element_class} {}

Factory::~Factory() = default;

Status Factory::open(const InbandStage& inband, Factory* singles) noexcept {
  const bool single = class_.shape == ElementClass::Shape::single;
  if (!single) {
    minor_words_ = static_cast<u64*>(kapi_alloc(IdMap::words_for(max_) * sizeof(u64)));
    if (minor_words_ == nullptr) return Errno::nomem;
    minors_.build(minor_words_, max_);
  }
  Factory& owner = single && singles != nullptr ? *singles : *this;
  if (&owner == this) {
    const Status made = status_of(kapi_class_create(
        single ? "evl" : class_.name, single ? kMaxSingles : max_ + 1, &device_class_));
    if (!made.ok()) {
      close(inband);
      return made;
    }
  }
  if (class_.shape == ElementClass::Shape::internal) return kOk;
  kapi_device_setup setup{};
  setup.cls = owner.device_class_;
  setup.minor = single ? owner.singles_++ : max_;
  setup.name = single ? class_.name : kCloneName;
  setup.ops = single ? class_.ops : &kCloneOps;
  setup.attributes = single ? class_.attributes : nullptr;
  setup.object = this;
  const Status made = status_of(kapi_device_create(&setup, &clone_device_));
  if (!made.ok()) close(inband);
  return made;
}

void Factory::close(const InbandStage&) noexcept {
  if (clone_device_ != nullptr) kapi_device_destroy(std::exchange(clone_device_, nullptr));
  if (device_class_ != nullptr) kapi_class_destroy(std::exchange(device_class_, nullptr));
  if (minors_.built()) minors_.destroy();
  kapi_free(std::exchange(minor_words_, nullptr));
}

Factory::NameList& Factory::bucket_of(const char* name) noexcept {
  return names_[hash_of(name) % kNameBuckets];
}

Status Factory::take_name(Element& element, const char* name, const InbandStage& inband) noexcept {
  InbandLockGuard guard{mutex_, inband};
  const auto minor = minors_->take();
  if (!minor.ok()) {
    kapi_print_ratelimited(KAPI_WARNING, "no more than %u elements of class %s", max_, class_.name);
    return minor.error();
  }
  if (name == nullptr)
    kapi_format(element.name_, sizeof(element.name_), "%s%%%u", class_.name, minor.value());
  else
    kapi_format(element.name_, sizeof(element.name_), "%s", name);
  NameList& names = bucket_of(element.name_);
  // The clone device lives in the same folder of sysfs, which complains about a second one.
  if (same_text(element.name_, kCloneName) || names.find([&](Element& other) {
        return same_text(other.name_, element.name_);
      }) != nullptr) {
    minors_->give_back(minor.value());
    return Errno::exist;
  }
  element.minor_ = minor.value();
  names.push_back(element);
  return kOk;
}

Status Factory::create_device(Element& element, const char* name,
                              const InbandStage& inband) noexcept {
  (void)EVL_TRY(take_name(element, name, inband));
  if (class_.has_fundles) index_.publish(element);
  kapi_device_setup setup{};
  setup.cls = device_class_;
  setup.minor = element.minor_;
  setup.name = element.name_;
  setup.ops = element.is_public() ? class_.ops : nullptr;
  setup.attributes = class_.attributes;
  setup.object = &element;
  setup.owner = clone_device_;
  kapi_device* device = nullptr;
  (void)EVL_TRY(status_of(kapi_device_create(&setup, &device)));
  element.device_ = device;
  return kOk;
}

// In the reverse order of its creation, whose later steps may not have come.
void Factory::dispose(Element& element, const InbandStage& inband) noexcept {
  index_.withdraw(element);
  if (element.device_ != nullptr) kapi_device_destroy(std::exchange(element.device_, nullptr));
  const unsigned minor = element.minor_;
  if (minor != ~0U) {
    InbandLockGuard guard{mutex_, inband};
    bucket_of(element.name_).remove(element);
    minors_->give_back(minor);
  }
  class_.dispose(element, inband);
}

unsigned Factory::alive(const InbandStage& inband) noexcept {
  InbandLockGuard guard{mutex_, inband};
  return minors_.built() ? minors_->in_use() : 0;
}

bool Factory::may_access(const InbandStage&) const noexcept {
  return kapi_may_access(clone_device_);
}

}  // namespace evl
