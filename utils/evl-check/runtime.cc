// SPDX-License-Identifier: MIT

#include "evl-check/runtime.h"

#include <unistd.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "common/cpu_list.h"
#include "common/files.h"
#include "common/text.h"

namespace utils {
namespace {

class Checker final {
 public:
  explicit Checker(const System& system) : system_{system} {}

  void expect(bool holds, const char* name, const std::string& found, const char* advice) {
    ++report_.checked;
    if (!holds) report_.failed.push_back({name, found, advice});
  }

  // Of an attribute which this machine may lack.
  template <typename Holds>
  void expect_attribute(const std::string& path, const char* name, Holds&& holds,
                        const char* advice) {
    if (const auto text = read_file(path)) expect(holds(*text), name, *text, advice);
  }

  void core(int abi_level);
  void clocks();
  void cpus();
  void disturbances();

  RuntimeReport take() { return std::move(report_); }

 private:
  const System& system_;
  RuntimeReport report_;
};

void Checker::core(int abi_level) {
  const bool present = system_.has_core();
  expect(present, "core", present ? "present" : "none",
         "boot a kernel with CONFIG_EVL=y, without evl.state=disabled");
  if (!present) return;
  const bool open = access(system_.path("/dev/evl/control").c_str(), R_OK | W_OK) == 0;
  expect(open, "access", open ? "yes" : "no", "join the group evl, or run as root");
  expect_attribute(
      system_.control_attribute("state"), "state",
      [](const std::string& state) { return state == "running"; },
      "write 'start' to evl/control/state");
  expect_attribute(
      system_.control_attribute("abi"), "abi",
      [&](const std::string& level) { return to_integer(level, abi_level).has_value(); },
      "the library is newer than the kernel: build both from one source");
}

void Checker::clocks() {
  const std::string folder = system_.path("/sys/devices/system/clocksource/clocksource0/");
  expect_attribute(
      folder + "vdso_clocksource", "vdso_clocksource",
      [](const std::string& access) { return access == "architected" || access == "mmio"; },
      "reading the clock switches threads in-band: on x86, try tsc=reliable");
  expect_attribute(
      folder + "current_clocksource", "clocksource",
      [](const std::string& name) {
        return name != "jiffies" && name != "hpet" && name != "acpi_pm" &&
               name != "refined-jiffies";
      },
      "slow, or too coarse: on x86, try tsc=reliable or tsc=nowatchdog");
}

void Checker::cpus() {
  const std::set<int> online = system_.online_cpus();
  std::set<int> oob = system_.oob_cpus();
  if (oob.empty()) oob = online;
  // Frequency of a CPU which runs real-time threads.
  bool scaled = false;
  std::string odd;
  for (const int cpu : oob) {
    const auto governor = read_file(
        system_.path(format("/sys/devices/system/cpu/cpu%d/cpufreq/scaling_governor", cpu)));
    scaled = scaled || governor.has_value();
    if (governor && *governor != "performance" && odd.empty()) odd = *governor;
  }
  if (scaled) {
    expect(odd.empty(), "governor", odd,
           "changes of frequency cost 10 to 100 us: set scaling_governor to performance");
  }
  if (online.size() < 2) return;
  const std::set<int> isolated = system_.isolated_cpus();
  std::set<int> both;
  std::set_intersection(oob.begin(), oob.end(), isolated.begin(), isolated.end(),
                        std::inserter(both, both.end()));
  expect(!both.empty(), "isolated", isolated.empty() ? "none" : format_cpu_list(isolated),
         "keep in-band load off a real-time CPU: isolcpus=1 evl.oobcpus=1");
}

void Checker::disturbances() {
  expect_attribute(
      system_.path("/proc/sys/kernel/nmi_watchdog"), "nmi_watchdog",
      [](const std::string& value) { return value == "0"; },
      "its NMIs delay everything: boot with nmi_watchdog=0");
  if (system_.tracing.empty()) return;
  expect_attribute(
      system_.tracing + "/current_tracer", "tracer",
      [](const std::string& name) { return name == "nop"; },
      "tracing takes time on every path: write 'nop' to current_tracer");
}

}  // namespace

RuntimeReport check_runtime(const System& system, int abi_level) {
  Checker checker{system};
  checker.core(abi_level);
  checker.clocks();
  checker.cpus();
  checker.disturbances();
  return checker.take();
}

}  // namespace utils
