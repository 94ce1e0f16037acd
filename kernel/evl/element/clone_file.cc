// SPDX-License-Identifier: GPL-2.0
// EVL_IOC_CLONE: what can fail comes first, the descriptor is seen last.
#include "element/clone_file.h"

#include "base/in_place.h"
#include "boot/core.h"
#include "element/element_file.h"

namespace evl {
namespace {

// Name as the caller gave it. nullptr in `name`: none.
struct GivenName {
  char text[Element::kNameLength + 1];
  const char* name{nullptr};

  // A "/" is refused for a node, and becomes "!" for a folder of sysfs, as Linux does it there.
  [[nodiscard]] Status read(u64 address, bool is_public) noexcept {
    if (address == 0) return kOk;
    (void)EVL_TRY(status_of(
        kapi_copy_name_from_user(text, reinterpret_cast<const void*>(address), sizeof(text))));
    bool dots = true;  // "." and "..": nothing but.
    for (char* c = text; *c != '\0'; ++c) {
      if (*c == '/' && is_public) return Errno::inval;
      if (*c == '/') *c = '!';
      dots = dots && *c == '.';
    }
    if (dots) return Errno::inval;
    name = text;
    return kOk;
  }
};

// The file of a private element, whose descriptor nobody sees yet.
class HiddenFile final : Immovable {
 public:
  [[nodiscard]] Status open(Element& element, const InbandStage& inband) noexcept {
    ElementFile* const object = EVL_TRY(ElementFile::prepare(element, inband));
    const ElementClass& of = element.factory().element_class();
    const unsigned nonblock = (element.clone_flags() & EVL_CLONE_NONBLOCK) != 0 ? kOpenNonblock : 0;
    fd_ = kapi_anon_file(of.name, of.ops, object, kOpenReadWrite | nonblock, &file_);
    if (fd_ < 0) {
      object->abandon(inband);
      return status_of(fd_);
    }
    object->bind(file_);
    return kOk;
  }
  [[nodiscard]] int fd() const noexcept { return fd_; }
  void install() noexcept {
    if (fd_ >= 0) kapi_fd_install(std::exchange(fd_, -1), file_);
  }
  HiddenFile() noexcept = default;
  ~HiddenFile() {
    if (fd_ >= 0) kapi_fd_abort(fd_, file_);
  }

 private:
  int fd_{-1};
  kapi_file* file_{nullptr};
};

int open_clone(void* device_object, kapi_file*, void** object) {
  const InbandStage inband = InbandStage::at_entry();
  auto* const made = create<Factory::CloneFile>(inband, *static_cast<Factory*>(device_object));
  if (made == nullptr) return -ENOMEM;
  *object = made;
  return 0;
}

void release_clone(void* object, kapi_file*) {
  const InbandStage inband = InbandStage::at_entry();
  auto* const file = static_cast<Factory::CloneFile*>(object);
  Element* const element = file->element.load_relaxed();
  discard(inband, file);
  if (element != nullptr) element->put();
}

long ioctl_clone(void* object, kapi_file*, unsigned cmd, unsigned long arg) {
  const InbandStage inband = InbandStage::at_entry();
  auto& file = *static_cast<Factory::CloneFile*>(object);
  if (cmd != EVL_IOC_CLONE) return code_of(file.factory.pass_on(file, cmd, inband));
  return code_of(file.factory.clone(file, UserPtr<evl_clone_req>{arg}, inband));
}

}  // namespace

const kapi_file_ops kCloneOps = {
    .open = open_clone,
    .release = release_clone,
    .ioctl = ioctl_clone,
};

Status Factory::clone(CloneFile& file, UserPtr<evl_clone_req> request,
                      const InbandStage& inband) noexcept {
  if (!core().running()) return Errno::nxio;
  if (file.used.exchange(true)) return Errno::busy;
  const Status status = make_clone(file, request, inband);
  if (!status.ok()) file.used.store_release(false);  // Pairs with the exchange above.
  return status;
}

Status Factory::pass_on(CloneFile& file, unsigned cmd, const InbandStage& inband) noexcept {
  Element* const element = file.element.load_acquire();  // Pairs with the store in make_clone().
  if (class_.undo == nullptr || element == nullptr) return Errno::notty;
  return class_.undo(*element, cmd, inband);
}

Status Factory::make_clone(CloneFile& file, UserPtr<evl_clone_req> request,
                           const InbandStage& inband) noexcept {
  evl_clone_req wanted = EVL_TRY(request.read());
  const u32 known = EVL_CLONE_PUBLIC | EVL_CLONE_NONBLOCK | class_.clone_flags;
  const bool is_public = (wanted.clone_flags & EVL_CLONE_PUBLIC) != 0;
  if ((wanted.clone_flags & ~known) != 0) return Errno::inval;
  GivenName name;
  (void)EVL_TRY(name.read(wanted.name_ptr, is_public));
  if (is_public && name.name == nullptr) return Errno::inval;

  u32 state_offset = EVL_NO_STATE_OFFSET;
  Element* const built =
      EVL_TRY(class_.build(*this, UserBytes{static_cast<unsigned long>(wanted.attrs_ptr)},
                           wanted.clone_flags, state_offset, inband));
  auto element = Ref<Element>::adopt(*built);
  HiddenFile hidden;
  (void)EVL_TRY(create_device(*element, name.name, inband));
  if (!is_public) (void)EVL_TRY(hidden.open(*element, inband));
  wanted.eids.minor = element->minor();
  wanted.eids.fundle = element->fundle();
  wanted.eids.state_offset = state_offset;
  wanted.efd = static_cast<u32>(hidden.fd());
  (void)EVL_TRY(request.write(wanted));
  if (class_.commit != nullptr) (void)EVL_TRY(class_.commit(*element, inband));
  hidden.install();
  file.element.store_release(element.release());
  return kOk;
}

}  // namespace evl
