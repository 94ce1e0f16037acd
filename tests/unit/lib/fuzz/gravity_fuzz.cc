// SPDX-License-Identifier: MIT
// libFuzzer target: the gravity of a clock as it is written to sysfs. What is accepted is within
// its limits, keeps what is not named, and says the same when it is written again.
//
// The parser is private to its source, which is therefore part of this one; what else that source
// refers to is left unresolved, and never called.

#include "time/clock_element.cc"

#include <string>

namespace {

void expect(bool holds) {
  if (!holds) __builtin_trap();
}

bool same(const evl::GravitySet& a, const evl::GravitySet& b) {
  return a.irq == b.irq && a.kernel == b.kernel && a.user == b.user;
}

}  // namespace

extern "C" void kapi_bug(const char*, const char*, int) {
  __builtin_trap();
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text{reinterpret_cast<const char*>(data), size};
  const evl::GravitySet before{
      .irq = evl::Duration::ns(1), .kernel = evl::Duration::ns(2), .user = evl::Duration::ns(3)};
  const auto parsed = evl::parse_gravities(text.c_str(), before);
  if (!parsed.ok()) {
    expect(parsed.is(evl::Errno::inval));
    return 0;
  }
  const evl::GravitySet set = parsed.value();
  for (const evl::Duration gravity : {set.irq, set.kernel, set.user})
    expect(gravity >= evl::Duration{} && gravity <= evl::Duration::seconds(1));
  if (text.find_first_of("0123456789") == std::string::npos) expect(same(set, before));
  const std::string again = std::to_string(set.irq.ns()) + "i " + std::to_string(set.kernel.ns()) +
                            "k " + std::to_string(set.user.ns()) + "u\n";
  const auto twice = evl::parse_gravities(again.c_str(), before);
  expect(twice.ok() && same(twice.value(), set));
  return 0;
}
