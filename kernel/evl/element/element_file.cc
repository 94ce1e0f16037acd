// SPDX-License-Identifier: GPL-2.0
// Opening and releasing files on elements. In-band; called by kapi and by Factory::clone().
#include "element/element_file.h"

namespace evl {

Result<ElementFile*> ElementFile::prepare(Element& element, const InbandStage& inband) noexcept {
  if (!element.try_get()) return Errno::stale;
  ElementFile* const made = create<ElementFile>(inband, element);
  if (made != nullptr) return made;
  element.put();
  return Errno::nomem;
}

void ElementFile::abandon(const InbandStage& inband) noexcept {
  Element& element = element_;
  if (file_.built()) file_.destroy();
  discard(inband, this);
  element.put();
}

int ElementFile::open(void* device_object, kapi_file* file, void** object) {
  const InbandStage inband = InbandStage::at_entry();
  const auto made = prepare(*static_cast<Element*>(device_object), inband);
  if (!made.ok()) return static_cast<int>(code_of(Status{made.error()}));
  made.value()->bind(file);
  *object = made.value();
  return 0;
}

void ElementFile::begin_release(void* object) noexcept {
  static_cast<ElementFile*>(object)->file_->begin_release();
}

void ElementFile::release(void* object, kapi_file*) {
  const InbandStage inband = InbandStage::at_entry();
  auto* const self = static_cast<ElementFile*>(object);
  self->file_->release(inband);
  self->abandon(inband);
}

}  // namespace evl
