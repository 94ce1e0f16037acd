// SPDX-License-Identifier: GPL-2.0
// The watchdog's two halves: a note when the CPU leaves in-band, and a timer that reads it.
#include "sched/watchdog.h"

#include "kapi/clock.h"
#include "sched/schedule.h"
#include "thread/hm.h"

namespace evl {

// Zero: not configured. Boot parameter, changed at run time too.
void watchdog_arm(Rq& rq, MonoDate now) noexcept {
  const unsigned limit_s = kapi_get_config()->watchdog_s;
  rq.oob_since_ = now;
  if (limit_s == 0 || rq.watchdog_timer_.running()) return;
  rq.watchdog_timer_.start(Date::from_ns(now.ns()) + Duration::seconds(limit_s), {});
}

void watchdog_expired(Timer& timer, const HardIrqsOff& irqs_off) noexcept {
  Rq& rq = owner_of<Rq, &Rq::watchdog_timer_>(timer);
  Thread& current = rq.current();  // Exact: of this CPU, irqs off.
  const unsigned limit_s = kapi_get_config()->watchdog_s;
  if (current.is_root() || limit_s == 0) return;  // Armed again when in-band is left.
  const MonoDate due = rq.oob_since_ + Duration::seconds(limit_s);
  const MonoDate now = MonoDate::from_ns(kapi_read_monotonic());
  if (now < due) {
    timer.start(Date::from_ns(due.ns()), {});
    return;
  }
  kapi_trace(KAPI_EV_watchdog_signal, current.name(), limit_s, 0);
  kapi_print(KAPI_WARNING, "watchdog: %s keeps CPU %u for more than %u s", current.name(), rq.cpu(),
             limit_s);
  if (current.is_user()) {
    report(current, HmCode::watchdog);
    current.kick({}, irqs_off);
  } else {
    current.cancel(irqs_off);
  }
  rq.oob_since_ = now;  // The next one of this run in as long again.
  timer.start(Date::from_ns(now.ns()) + Duration::seconds(limit_s), {});
}

}  // namespace evl
