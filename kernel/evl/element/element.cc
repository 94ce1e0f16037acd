// SPDX-License-Identifier: GPL-2.0
// References on elements, and how the last one leads to the disposal in-band.
#include "element/element.h"

#include "boot/core.h"
#include "element/factory.h"

namespace evl {

Element::Element(Factory& factory, u32 clone_flags) noexcept
    : factory_{factory}, clone_flags_{clone_flags} {
  kapi_irq_work_init(&dispose_irq_work_, &Element::on_irq_work);
  kapi_work_init(&dispose_work_, &Element::on_work);
}

Element::~Element() {
  EVL_ASSERT(refs_.load_relaxed() == 0);
}

// Each round more than one means that another CPU took or gave back a reference meanwhile.
bool Element::try_get() noexcept {
  s32 refs = refs_.load_relaxed();
  while (refs > 0)
    if (refs_.compare_exchange(refs, refs + 1)) return true;
  return false;
}

void Element::get() noexcept {
  [[maybe_unused]] const s32 former = refs_.fetch_add(1);
  EVL_ASSERT(former > 0);
}

void Element::put() noexcept {
  const s32 former = refs_.fetch_sub(1);
  EVL_ASSERT(former > 0);
  if (former > 1) return;
  if (kapi_may_dispose()) {
    factory_.dispose(*this, InbandStage::at_entry());
  } else {
    // One way for all other contexts: hard irqs may be off in-band, too.
    kapi_irq_work_queue(&dispose_irq_work_);
  }
}

void Element::on_irq_work(kapi_irq_work* work) noexcept {
  Element& element = owner_of<Element, &Element::dispose_irq_work_>(*work);
  kapi_work_queue(core().disposal_queue(), &element.dispose_work_);
}

void Element::on_work(kapi_work* work) noexcept {
  Element& element = owner_of<Element, &Element::dispose_work_>(*work);
  // The irq_work may still be on its way out on another CPU: it is part of what goes away.
  kapi_irq_work_sync(&element.dispose_irq_work_);
  element.factory_.dispose(element, InbandStage::at_entry());
}

}  // namespace evl
