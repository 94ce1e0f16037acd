// SPDX-License-Identifier: GPL-2.0
// In-band work called from the oob stage, and the synchronous call that waits for its result.
#include "sync/work.h"

#include "boot/core.h"
#include "element/element.h"

namespace evl {

Work::Work(Handler handler, kapi_workqueue* queue, Element* keep, Made made) noexcept
    : handler_{handler}, queue_{queue}, keep_{keep}, made_{made} {
  kapi_irq_work_init(&irq_work_, &Work::forward);
  if (made == Made::inband) kapi_work_init(&work_, &Work::run);
}

void Work::call() noexcept {
  if (keep_ != nullptr) keep_->get();
  if (!kapi_irq_work_queue(&irq_work_) && keep_ != nullptr) keep_->put();  // Merged.
}

void Work::forward(kapi_irq_work* work) noexcept {
  Work& self = owner_of<Work, &Work::irq_work_>(*work);
  if (self.made_ == Made::oob) kapi_work_init(&self.work_, &Work::run);
  if (!kapi_work_queue(self.queue_, &self.work_) && self.keep_ != nullptr) self.keep_->put();
}

// The handler may delete its Work, unless an element is kept, which is then the owner.
void Work::run(kapi_work* work) noexcept {
  Work& self = owner_of<Work, &Work::work_>(*work);
  kapi_irq_work_sync(&self.irq_work_);  // forward() has returned, on whatever CPU it ran.
  Element* const keep = self.keep_;
  self.handler_(self, InbandStage::at_entry());
  if (keep != nullptr) keep->put();
}

void Work::flush(const InbandStage&) noexcept {
  kapi_irq_work_sync(&irq_work_);
  kapi_work_flush(&work_);
}

namespace {

// On the system heap, since a caller whose wait was broken leaves before the handler is done. The
// last of both deletes it.
struct Call final : Immovable {
  Call(long (*to_run)(unsigned long), unsigned long with) noexcept
      : handler{to_run},
        argument{with},
        work{&Call::run, core().disposal_queue(), nullptr, Work::Made::oob} {}

  static void run(Work& work, const InbandStage&) noexcept {
    Call& self = owner_of<Call, &Call::work>(work);
    self.result = self.handler(self.argument);
    self.done.raise();
    self.leave();
  }
  void leave() noexcept {
    if (users.fetch_sub(1) == 1) discard_in(core().system_heap(), this);
  }

  long (*const handler)(unsigned long);
  const unsigned long argument;
  long result{0};
  Atomic<s32> users{2};
  Flag done{"inband_call"};
  Work work;
};

}  // namespace

Result<long> call_inband(const OobStage& oob, Thread& self, long (*handler)(unsigned long argument),
                         unsigned long argument) noexcept {
  Call* const call = create_in<Call>(core().system_heap(), handler, argument);
  if (call == nullptr) return Errno::nomem;
  call->work.call();
  const Status waited = call->done.wait(oob, self, Deadline::never());
  const long result = waited.ok() ? call->result : 0;
  call->leave();
  if (!waited.ok()) return waited.error();
  return result;
}

}  // namespace evl
