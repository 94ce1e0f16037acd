// SPDX-License-Identifier: MIT
//
// What Linux knows: tasks, address spaces, descriptor tables, open files, devices. Plain records;
// Linux (linux.h) keeps the rules. Handles of kapi are pointers to these.

#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "engine/machine.h"
#include "kapi/kapi.h"

namespace sim {

// runnable  in-band: runs, or waits for its turn
// sleeping  in-band: until wake()
// parked    has left in-band, or is about to: only kapi_wake_task() after kapi_leave_oob() brings
// it back dead      never runs again
enum class Run : std::uint8_t { runnable, sleeping, parked, dead };

struct Mm {
  kapi_mm_state state{};
  int users{0};
  bool locked{true};  // mlockall(MCL_FUTURE)
};

struct Device;

struct File {
  const kapi_file_ops* ops{nullptr};
  void* object{nullptr};
  void* oob_data{nullptr};
  unsigned flags{0};
  int references{0};
  bool released{false};  // The last handler has returned.
  std::string name;
  Device* device{nullptr};
  std::string content;   // Of a plain file: what reading it gives.
  std::string received;  // What was written to it.
};

struct Files {
  std::vector<File*>
      table;  // By descriptor; null is free. Reserved slots hold the file, `installed` does not.
  std::vector<bool> installed;
  int users{0};
};

struct Task {
  Task(const char* name, Flow::Body entry) : flow{comm.data(), entry, this} { set_name(name); }
  void set_name(const char* name) {
    std::size_t i = 0;
    for (; name[i] != '\0' && i + 1 < comm.size(); ++i) comm[i] = name[i];
    comm[i] = '\0';
  }

  std::array<char, 16> comm{};  // Before `flow`, which keeps a pointer to it.
  Flow flow;
  std::function<void()> body;
  int pid{0};
  struct kapi_task_state state {};  // "struct": kapi has a function of this name.
  Mm* mm{nullptr};                  // Null for kernel threads.
  Files* files{nullptr};
  kapi_altsched* altsched{nullptr};

  Run run{Run::runnable};
  unsigned cpu{0};
  std::uint64_t affinity{~std::uint64_t{0}};
  int inband_priority{0};
  const void* channel{nullptr};  // What it sleeps on.
  bool interruptible{false};
  std::uint64_t wakes_at_ns{kNever};
  unsigned timer_cpu{0};  // Whose tick device wakes it.

  bool dovetailed{false};  // Between kapi_altsched_start() and stop.
  bool oob{false};         // Runs, or waits, on the out-of-band stage.
  bool leaving{false};     // In kapi_leave_inband().
  bool retuser{false};
  bool mayday{false};
  bool worker{false};
  bool exiting{false};
  int in_core{0};  // Depth of upcalls into the core that it has not returned from.
  int atomic{0};   // Depth of sections in which it may not sleep.
  // Was able to go on, oob and in the core, when another thread got the CPU. Whoever knows the core
  // sets it.
  bool interrupted{false};

  std::uint64_t signals{0};  // Pending, by number.
  int senders{0};            // Who have added one, and are about to tell the core.
  std::array<std::uint32_t, 65> received{};
  std::array<std::uint32_t, 16> debug_reasons{};  // SIGDEBUG, by code.
  int debug_value{0};
  unsigned capabilities{0};
  bool debugged{false};
  int references{1};
};

struct DeviceClass {
  std::string name;
  unsigned minors{0};
};

struct Device {
  kapi_device_setup setup{};
  std::string name;
  bool gone{false};
  int busy{0};  // Callers inside open() or an attribute.
};

struct Mapping {
  std::size_t bytes{0};
  void* address{nullptr};
};

inline kapi_task* handle(Task* task) {
  return reinterpret_cast<kapi_task*>(task);
}
inline Task* task_of(kapi_task* task) {
  return reinterpret_cast<Task*>(task);
}
inline kapi_file* handle(File* file) {
  return reinterpret_cast<kapi_file*>(file);
}
inline File* file_of(kapi_file* file) {
  return reinterpret_cast<File*>(file);
}

}  // namespace sim
