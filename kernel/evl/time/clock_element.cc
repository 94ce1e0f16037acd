// SPDX-License-Identifier: GPL-2.0
// Requests on a clock's file, and its gravity in sysfs.
#include "time/clock_element.h"

#include "boot/core.h"
#include "device/control.h"
#include "element/element_file.h"
#include "request/dispatch.h"
#include "time/timer_file.h"

namespace evl {
namespace {

using UserTime = UserPtr<__evl_timespec>;

// Both stages.
Status common_request(Clock& clock, unsigned cmd, unsigned long arg) noexcept {
  switch (cmd) {
    case EVL_CLKIOC_GET_RES:
      kapi_trace(KAPI_EV_clock_getres, clock.name(), clock.resolution().ns(), 0);
      return UserTime{arg}.write(to_timespec(clock.resolution().ns()));
    case EVL_CLKIOC_GET_TIME: {
      const Date now = clock.now();
      kapi_trace(KAPI_EV_clock_gettime, clock.name(), now.ns(), 0);
      return UserTime{arg}.write(to_timespec(now.ns()));
    }
    case EVL_CLKIOC_SET_TIME: {
      const Date date = EVL_TRY(Date::from(EVL_TRY(UserTime{arg}.read())));
      kapi_trace(KAPI_EV_clock_settime, clock.name(), date.ns(), 0);
      return Errno::opnotsupp;  // Both are Linux's to set.
    }
    default:
      return Errno::notty;
  }
}

Clock& clock_of(void* object) noexcept {
  return ElementFile::element<ClockElement>(object).clock();
}

long inband_ioctl(void* object, kapi_file*, unsigned cmd, unsigned long arg) {
  if (cmd != EVL_CLKIOC_NEW_TIMER) return code_of(common_request(clock_of(object), cmd, arg));
  return code_of(TimerFile::open(clock_of(object), UserPtr<s32>{arg}, InbandStage::at_entry()));
}

// The clock outlives its files: closing one does not have to wait for who sleeps by it.
Status sleep(Clock& clock, unsigned long arg) noexcept {
  const OobStage oob = OobStage::at_entry();
  const Date date = EVL_TRY(Date::from(EVL_TRY(UserTime{arg}.read(oob))));
  drop_request_file(*current_thread());
  return sleep_until(oob, clock, date);
}

long oob_ioctl(void* object, kapi_file*, unsigned cmd, unsigned long arg) {
  if (cmd == EVL_CLKIOC_SLEEP) return code_of(sleep(clock_of(object), arg));
  return code_of(common_request(clock_of(object), cmd, arg));
}

const kapi_file_ops kFileOps{
    .open = &ElementFile::open,
    .release = &ElementFile::release,
    .ioctl = &inband_ioctl,
    .oob_ioctl = &oob_ioctl,
};

Clock& clock_of_attribute(void* object) noexcept {
  return static_cast<ClockElement&>(*static_cast<Element*>(object)).clock();
}

long show_gravity(void* object, char* buf, size_t capacity) {
  const GravitySet set = clock_of_attribute(object).gravities();
  return kapi_format(buf, capacity, "%lldi %lldk %lldu\n", static_cast<long long>(set.irq.ns()),
                     static_cast<long long>(set.kernel.ns()),
                     static_cast<long long>(set.user.ns()));
}

bool is_separator(char c) noexcept {
  return c == ' ' || c == '\t' || c == '\n' || c == ':' || c == '/' || c == ',';
}

// Any of "<ns>i", "<ns>k", "<ns>u" or "<ns>", which is the same as u, between separators.
Result<GravitySet> parse_gravities(const char* text, GravitySet set) noexcept {
  while (*text != '\0') {
    if (is_separator(*text)) {
      ++text;
      continue;
    }
    if (*text < '0' || *text > '9') return Errno::inval;
    s64 ns = 0;
    for (; *text >= '0' && *text <= '9'; ++text) {
      ns = ns * 10 + (*text - '0');
      if (ns > kNsPerSecond) return Errno::inval;
    }
    Duration& target = *text == 'i' ? set.irq : *text == 'k' ? set.kernel : set.user;
    if (*text == 'i' || *text == 'k' || *text == 'u') ++text;
    if (*text != '\0' && !is_separator(*text)) return Errno::inval;
    target = Duration::ns(ns);
  }
  return set;
}

Status store(Clock& clock, const char* text) noexcept {
  return clock.set_gravities(EVL_TRY(parse_gravities(text, clock.gravities())));
}

long store_gravity(void* object, const char* text, size_t bytes) {
  const Status status = store(clock_of_attribute(object), text);
  return status.ok() ? static_cast<long>(bytes) : code_of(status);
}

const kapi_attribute kAttributes[] = {
    {"gravity", 0644, &show_gravity, &store_gravity},
    {nullptr, 0, nullptr, nullptr},
};

void dispose(Element& element, const InbandStage& inband) noexcept {
  discard(inband, static_cast<ClockElement*>(&element));
}

}  // namespace

const ElementClass kClockClass{
    .name = EVL_CLOCK_DEV,
    .shape = ElementClass::Shape::internal,
    .has_fundles = false,
    .clone_flags = 0,
    .build = nullptr,
    .dispose = &dispose,
    .ops = &kFileOps,
    .attributes = kAttributes,
};

Result<Clock*> clock_behind(int clockfd) noexcept {
  if (Clock* const builtin = core().clock_of(clockfd); builtin != nullptr) return builtin;
  if (clockfd < 0) return Errno::inval;
  const FileRef file{core().files().get(static_cast<unsigned>(clockfd))};
  if (!file) return Errno::badf;
  void* const object = file.object<void>(kFileOps);
  if (object == nullptr) return Errno::inval;
  return &clock_of(object);
}

Result<ClockElement*> ClockElement::open(Factory& factory, Clock& clock,
                                         const InbandStage& inband) noexcept {
  auto* const made = create<ClockElement>(inband, factory, clock);
  if (made == nullptr) return Errno::nomem;
  const Status status = factory.create_device(*made, clock.name(), inband);
  if (status.ok()) return made;
  made->put();
  return status.error();
}

}  // namespace evl
