// SPDX-License-Identifier: MIT
// The trace element and the tracepoints, as ftrace shows them. Text that other programs look for is
// checked as they do.
#include <errno.h>
#include <evl/sys.h>
#include <evl/trace.h>
#include <fcntl.h>
#include <unistd.h>

#include <regex>

#include "support.h"

using namespace target;

namespace {

const auto* const kCore = use_core();

const std::string kTracing = "/sys/kernel/tracing/";

// Empties the buffer, switches events of the core on while it lives.
class Tracing final {
 public:
  explicit Tracing(std::string events) : switch_{kTracing + "events/evl/" + std::move(events)} {
    const int trace = open((kTracing + "trace").c_str(), O_WRONLY | O_TRUNC | O_CLOEXEC);
    EXPECT_EQ(close(trace), 0);
    EXPECT_EQ(store(kTracing + "tracing_on", "1"), 0);
    EXPECT_EQ(store(switch_, "1"), 0) << switch_;
  }
  ~Tracing() { (void)stop(); }
  Tracing(const Tracing&) = delete;
  Tracing& operator=(const Tracing&) = delete;

  std::string stop() {
    EXPECT_EQ(store(switch_, "0"), 0);
    return contents(kTracing + "trace");
  }

 private:
  const std::string switch_;
};

bool found(const std::string& text, const std::string& form) {
  return std::regex_search(text, std::regex{form});
}

int trace_device() {
  return evl_open_raw("trace");
}

}  // namespace

TEST(Trace, TextOfBothStagesIsInTheTrace) {
  const int device = trace_device();
  ASSERT_GE(device, 0);
  Tracing tracing{"evl_trace/enable"};
  EXPECT_EQ(write(device, "inband one", 10), 10);
  attached([&] {
    EXPECT_EQ(oob_write(device, "oob two", 7), 7);
    EXPECT_FALSE(evl_is_inband());
  });
  const std::string all = tracing.stop();
  EXPECT_TRUE(found(all, "evl_trace: inband one")) << all;
  EXPECT_TRUE(found(all, "evl_trace: oob two")) << all;
  EXPECT_EQ(close(device), 0);
}

TEST(Trace, LongTextIsCut) {
  const int device = trace_device();
  ASSERT_GE(device, 0);
  Tracing tracing{"evl_trace/enable"};
  const std::string text = std::string(127, 'y') + "Z";
  EXPECT_EQ(write(device, text.data(), text.size()), static_cast<ssize_t>(text.size()));
  const std::string all = tracing.stop();
  EXPECT_TRUE(found(all, "y{127}")) << all;
  EXPECT_FALSE(found(all, "Z\\n")) << all;
  EXPECT_EQ(close(device), 0);
}

TEST(Trace, Errors) {
  const int device = trace_device();
  ASSERT_GE(device, 0);
  EXPECT_EQ(write(device, reinterpret_cast<void*>(0x1000), 10), -1);
  EXPECT_EQ(errno, EFAULT);
  char byte = 0;
  EXPECT_EQ(read(device, &byte, 1), -1);
  EXPECT_EQ(inband_request(device, 0x1234, nullptr), -ENOTTY);
  attached([&] {
    EXPECT_EQ(oob_write(device, reinterpret_cast<void*>(0x1000), 10), -1);
    EXPECT_EQ(errno, EFAULT);
    EXPECT_EQ(oob_request(device, 0x1234, nullptr), -ENOTTY);
  });
  EXPECT_EQ(close(device), 0);
}

TEST(Trace, SnapshotOnBothStages) {
  const int device = trace_device();
  ASSERT_GE(device, 0);
  const int expected = exists(kTracing + "snapshot") ? 0 : -EOPNOTSUPP;
  EXPECT_EQ(inband_request(device, EVL_TRCIOC_SNAPSHOT, nullptr), expected);
  attached([&] { EXPECT_EQ(oob_request(device, EVL_TRCIOC_SNAPSHOT, nullptr), expected); });
  EXPECT_EQ(close(device), 0);
}

TEST(Events, TellTheLifeOfASleep) {
  const std::string name = unique_name("sl");
  Tracing tracing{"enable"};
  attached({.priority = 21, .name = name}, [] {
    const timespec date = after_ms(20);
    EXPECT_EQ(evl_sleep_until(EVL_CLOCK_MONOTONIC, &date), 0);
    (void)getppid();
  });
  const std::string all = tracing.stop();
  for (const char* event :
       {"evl_init_thread", "evl_thread_map", "evl_switch_oob", "evl_switched_oob",
        "evl_oob_sysentry", "evl_timer_start", "evl_timer_shot", "evl_timer_expire",
        "evl_wakeup_thread", "evl_schedule", "evl_pick_thread", "evl_switch_context",
        "evl_switch_inband", "evl_switched_inband", "evl_oob_sysexit", "evl_thread_unmap"})
    EXPECT_TRUE(found(all, std::string{event} + ": ")) << event;
  EXPECT_TRUE(found(all, "evl_switch_inband: .*syscall"));
}

TEST(Events, AreNotRecordedWhenTheyAreOff) {
  Tracing tracing{"evl_trace/enable"};
  attached([] { EXPECT_EQ(evl_usleep(1000), 0); });
  const std::string all = tracing.stop();
  EXPECT_FALSE(found(all, "evl_[a-z_]+: ")) << all;
}
