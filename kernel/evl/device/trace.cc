// SPDX-License-Identifier: GPL-2.0
// The trace device: what a program writes to it becomes a tracepoint; a snapshot freezes what was
// traced. Both stages.
#include <evl/trace.h>

#include "base/in_place.h"
#include "base/user_ptr.h"
#include "device/control.h"
#include "file/oob_file.h"
#include "sync/work.h"

namespace evl {
namespace {

constexpr size_t kLongestText = 127;

struct TraceFile final : Immovable {
  explicit TraceFile(kapi_file* of) noexcept : file{of} {}
  OobFile file;
};

int open(void*, kapi_file* file, void** object) {
  auto* const made = create<TraceFile>(InbandStage::at_entry(), file);
  if (made == nullptr) return -ENOMEM;
  *object = made;
  return 0;
}

void release(void* object, kapi_file*) {
  const InbandStage inband = InbandStage::at_entry();
  auto* const file = static_cast<TraceFile*>(object);
  file->file.release(inband);
  discard(inband, file);
}

// Longer text is cut, and said to be written: it is a line of a trace, not data.
long write(void*, kapi_file*, const void* user_buf, size_t bytes) {
  char text[kLongestText];
  const size_t length = bytes < sizeof(text) ? bytes : sizeof(text);
  const Status copied = UserBytes{user_buf}.read(text, length);
  if (!copied.ok()) return code_of(copied);
  kapi_trace_text(text, length);
  return static_cast<long>(bytes < 0x7fffffff ? bytes : 0x7fffffff);
}

long ioctl(void*, kapi_file*, unsigned cmd, unsigned long) {
  return cmd == EVL_TRCIOC_SNAPSHOT ? kapi_trace_snapshot() : -ENOTTY;
}

long oob_ioctl(void*, kapi_file*, unsigned cmd, unsigned long) {
  if (cmd != EVL_TRCIOC_SNAPSHOT) return -ENOTTY;
  const auto taken = call_inband(
      OobStage::at_entry(), *current_thread(),
      [](unsigned long) noexcept { return static_cast<long>(kapi_trace_snapshot()); }, 0);
  return taken.ok() ? taken.value() : code_of(taken);
}

constexpr kapi_file_ops kOps = {
    .open = open,
    .release = release,
    .ioctl = ioctl,
    .write = write,
    .oob_ioctl = oob_ioctl,
    .oob_write = write,
};

}  // namespace

constinit const ElementClass kTraceClass = {
    .name = "trace",
    .shape = ElementClass::Shape::single,
    .has_fundles = false,
    .clone_flags = 0,
    .build = nullptr,
    .dispose = nullptr,
    .ops = &kOps,
    .attributes = nullptr,
};

}  // namespace evl
