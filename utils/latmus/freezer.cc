// SPDX-License-Identifier: MIT

#include "latmus/freezer.h"

#include <fcntl.h>
#include <unistd.h>

#include "common/files.h"

namespace utils::latmus {
namespace {

constexpr const char* kTrigger = "/events/evl/evl_trigger/trigger";

}  // namespace

TraceFreezer::TraceFreezer(const System& system) : folder_{system.tracing} {
  if (folder_.empty()) return;
  switch_ = open((folder_ + "/tracing_on").c_str(), O_WRONLY | O_CLOEXEC);
  if (switch_ >= 0) snapshots_ = write_attribute(folder_ + kTrigger, "snapshot") == 0;
}

TraceFreezer::~TraceFreezer() {
  if (snapshots_) (void)write_attribute(folder_ + kTrigger, "!snapshot");
  if (switch_ >= 0) close(switch_);
}

void TraceFreezer::freeze() {
  if (switch_ < 0 || frozen_) return;
  frozen_ = write(switch_, "0", 1) == 1;
}

std::string TraceFreezer::advice() const {
  if (!frozen_) return "no trace was frozen: mount tracefs, and turn events on before the run";
  if (snapshots_) return "trace frozen: the peak is at the end of " + folder_ + "/snapshot";
  return "trace frozen: see " + folder_ + "/trace";
}

}  // namespace utils::latmus
