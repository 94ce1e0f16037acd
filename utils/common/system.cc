// SPDX-License-Identifier: MIT

#include "common/system.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "common/cpu_list.h"
#include "common/files.h"

namespace utils {
namespace {

constexpr int kMostCpus = 8192;

std::string from_variable(const char* name, std::string otherwise) {
  const char* const value = getenv(name);
  return value != nullptr && *value != '\0' ? value : std::move(otherwise);
}

// tracefs, or the older place in debugfs.
std::string find_tracing(const std::string& root) {
  for (const char* const place : {"/sys/kernel/tracing", "/sys/kernel/debug/tracing"}) {
    if (access((root + place + "/tracing_on").c_str(), F_OK) == 0) return root + place;
  }
  return {};
}

}  // namespace

System System::below(const std::string& root) {
  return {.root = root,
          .virtual_devices = root + "/sys/devices/virtual",
          .tracing = find_tracing(root)};
}

System System::from_environment() {
  System found = below("");
  found.virtual_devices = from_variable("EVL_SYSDIR", found.virtual_devices);
  // The front end sets the variable whether or not anything is mounted there.
  const std::string tracing = from_variable("EVL_TRACEDIR", found.tracing);
  if (access((tracing + "/tracing_on").c_str(), F_OK) == 0) found.tracing = tracing;
  return found;
}

bool System::has_core() const {
  return access(path("/dev/evl/control").c_str(), F_OK) == 0;
}

std::set<int> System::cpus_in(const std::string& path) const {
  const auto text = read_file(path);
  if (!text) return {};
  return parse_cpu_list(*text, kMostCpus).value_or(std::set<int>{});
}

std::set<int> System::oob_cpus() const {
  return cpus_in(control_attribute("cpus"));
}

std::set<int> System::isolated_cpus() const {
  return cpus_in(path("/sys/devices/system/cpu/isolated"));
}

std::set<int> System::online_cpus() const {
  return cpus_in(path("/sys/devices/system/cpu/online"));
}

int System::last_cpu() const {
  const std::set<int> possible = cpus_in(path("/sys/devices/system/cpu/possible"));
  return possible.empty() ? 0 : *possible.rbegin();
}

int report_no_core(const char* tool) {
  fprintf(stderr,
          "%s: no kernel support: there is no /dev/evl/control.\n"
          "Boot a kernel with CONFIG_EVL=y; if it is one, look for evl.state= in /proc/cmdline.\n",
          tool);
  return kNoSupport;
}

}  // namespace utils
